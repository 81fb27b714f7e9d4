/**
 * Asks the registry for known vulnerabilities of the packages in the lock files.
 * Fails for any in what the package needs, and for a high or critical one in
 * what only development, the benchmark or the manual needs:
 *
 *     node npm/scripts/audit.mjs
 *
 * Not every registry answers audits. Then it says so and does not fail.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const severities = ['info', 'low', 'moderate', 'high', 'critical']

/**
 * What an answer of `npm audit --json` means.
 * @param {string} answer
 * @param {string} least The least severity that fails.
 * @returns {{ line: string, failed: boolean }}
 */
export function verdict(answer, least) {
  let report
  try {
    report = JSON.parse(answer)
  } catch {
    return { line: `skipped: the answer is no JSON: ${answer.slice(0, 80).split('\n')[0]}`, failed: false }
  }
  if (report.vulnerabilities === undefined) return { line: `skipped: the registry does not answer audits: ${report.message ?? report.error?.summary ?? 'no reason'}`, failed: false }
  const found = Object.values(report.vulnerabilities).map(({ name, severity, range }) => ({ name, severity, text: `${name} ${range} (${severity})` }))
  const harmless = severities.slice(0, severities.indexOf(least))
  const bad = found.filter(({ severity }) => !harmless.includes(severity))
  if (bad.length > 0) return { line: `${bad.length} vulnerable: ${bad.map(({ text }) => text).join(', ')}`, failed: true }
  return { line: found.length === 0 ? 'nothing known' : `nothing of severity ${least}; below it ${found.map(({ text }) => text).join(', ')}`, failed: false }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  let failed = false
  for (const [what, folder, least, ...more] of [['production', '..', 'info', '--omit=dev'], ['development', '..', 'high'], ['benchmark', '../bench', 'high'], ['manual', '../../demo/docs', 'high']]) {
    const { stdout, error } = spawnSync('npm', ['audit', '--json', ...more], { cwd: fileURLToPath(new URL(folder, import.meta.url)), encoding: 'utf8' })
    if (error) throw error
    const answer = verdict(stdout, least)
    console.log(`npm audit, ${what}: ${answer.line}`)
    failed ||= answer.failed
  }
  process.exitCode = Number(failed)
}
