/**
 * Tabs as a set of buttons of which Tab reaches one; arrows move among them.
 *
 * @param onShow Called with the id of each panel that is shown.
 */
export function startPanels(onShow) {
  const tabs = [...document.querySelectorAll('#tabs [role=tab]')]
  const show = (chosen, focus) => {
    for (const tab of tabs) {
      tab.ariaSelected = String(tab === chosen)
      tab.tabIndex = tab === chosen ? 0 : -1
      document.getElementById(tab.getAttribute('aria-controls')).hidden = tab !== chosen
    }
    if (focus) chosen.focus()
    onShow(chosen.getAttribute('aria-controls'))
  }
  for (const [i, tab] of tabs.entries()) {
    tab.addEventListener('click', () => show(tab))
    tab.addEventListener('keydown', ({ key }) => {
      const step = { ArrowLeft: i - 1, ArrowRight: i + 1, Home: 0, End: -1 }[key]
      if (step !== undefined) show(tabs.at(step % tabs.length), true)
    })
  }
  show(tabs[0])
  return { show: id => show(tabs.find(tab => tab.getAttribute('aria-controls') === id)) }
}
