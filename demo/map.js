/** The edges of the map in degrees: longitude is x and latitude is y. No city lies outside them. */
const west = -180, east = 180, south = -57, north = 80

/**
 * A map that is drawn from the documents alone: one dot for each city, and the
 * matches on top of them in the accent colour.
 */
export class WorldMap {
  #canvas
  #base = document.createElement('canvas') // the dots of all cities, drawn once: 170,000 take about 50 ms
  #all = [] // {lat, lng} of every city
  #matches = []
  #area // an element over the canvas, since moving an element is cheap and drawing the dots again is not

  /** @param onArea Called with {south, west, north, east} in degrees when a rectangle has been dragged. */
  constructor(canvas, area, onArea) {
    this.#canvas = canvas
    this.#area = area
    new ResizeObserver(() => this.#drawAll()).observe(canvas)
    this.#listen(onArea)
  }

  get isEmpty() { return this.#all.length === 0 }

  /** Replaces the cities. */
  setAll(points) {
    this.#all = points
    this.#drawAll()
  }

  /** Adds cities: only their dots are drawn. */
  add(points) {
    for (const point of points) this.#all.push(point)
    this.#dots(this.#base, points, this.#colour('--map-dot'), this.#dotSize)
    this.#draw()
  }

  /** Highlights the cities of an answer. */
  setMatches(points) {
    this.#matches = points
    this.#draw()
  }

  get #dotSize() { return this.#canvas.clientWidth > 600 ? 1 : 0.7 }

  #colour(name) { return getComputedStyle(this.#canvas).getPropertyValue(name) }

  #drawAll() {
    const { clientWidth: width, clientHeight: height } = this.#canvas
    for (const canvas of [this.#base, this.#canvas]) {
      canvas.width = width * window.devicePixelRatio // this also clears the canvas
      canvas.height = height * window.devicePixelRatio
    }
    this.#grid()
    this.#dots(this.#base, this.#all, this.#colour('--map-dot'), this.#dotSize)
    this.#draw()
  }

  #draw() {
    const canvas = this.#canvas
    if (canvas.width === 0) return // the canvas is not on screen, and drawImage refuses an empty picture
    const context = canvas.getContext('2d')
    context.setTransform(1, 0, 0, 1, 0, 0)
    context.clearRect(0, 0, canvas.width, canvas.height)
    context.drawImage(this.#base, 0, 0)
    // The fewer the matches, the larger the dots: one must be visible, a hundred thousand must stay dots.
    const size = 6 - 1.7 * Math.log10(this.#matches.length + 1)
    context.globalCompositeOperation = 'lighter' // where they lie close, they glow instead of becoming a blob
    this.#dots(canvas, this.#matches, this.#colour('--map-match'), Math.max(size, 1.1) * this.#dotSize)
    context.globalCompositeOperation = 'source-over'
  }

  /** Draws a line at every 30 degrees, so that an empty map looks like a map. */
  #grid() {
    const context = this.#base.getContext('2d')
    const { width, height } = this.#base
    context.setTransform(1, 0, 0, 1, 0, 0)
    context.fillStyle = this.#colour('--map-grid')
    for (let lng = west + 30; lng < east; lng += 30) context.fillRect(Math.round((lng - west) / (east - west) * width), 0, 1, height)
    for (let lat = -30; lat < north; lat += 30) context.fillRect(0, Math.round((north - lat) / (north - south) * height), width, 1)
  }

  /** Draws dots as squares: arcs take ten times as long and look the same at this size. */
  #dots(canvas, points, colour, size) {
    const context = canvas.getContext('2d')
    const { clientWidth: width, clientHeight: height } = this.#canvas
    context.setTransform(window.devicePixelRatio, 0, 0, window.devicePixelRatio, 0, 0)
    context.fillStyle = colour
    for (const { lat, lng } of points) {
      const x = (lng - west) / (east - west) * width
      const y = (north - lat) / (north - south) * height
      context.fillRect(x - size / 2, y - size / 2, size, size)
    }
  }

  /** A drag, a tap, or a rectangle moved by keys asks for an area. A finger that moves down scrolls the page. */
  #listen(onArea) {
    const canvas = this.#canvas
    let start = null
    let dragged = null // in CSS pixels, from the canvas's corner
    const stop = () => {
      start = null
      this.#area.hidden = true
    }
    const frame = rectangle => {
      dragged = rectangle
      const { x, y, width, height } = rectangle
      const style = { left: x + canvas.offsetLeft, top: y + canvas.offsetTop, width, height }
      for (const [side, pixels] of Object.entries(style)) this.#area.style[side] = `${pixels}px`
      this.#area.hidden = false
    }
    const around = ({ x, y }, width, height) => ({ x: x - width / 2, y: y - height / 2, width, height })
    canvas.addEventListener('pointerdown', event => {
      if (event.button !== 0 || this.#all.length === 0) return
      start = { x: event.offsetX, y: event.offsetY }
      dragged = null
      canvas.setPointerCapture(event.pointerId)
    })
    canvas.addEventListener('pointermove', event => start && frame(rectangle(start, { x: event.offsetX, y: event.offsetY })))
    canvas.addEventListener('pointerup', () => {
      if (!start) return
      const isTap = !dragged || dragged.width < 6 || dragged.height < 6
      const rectangle = isTap ? around(start, canvas.clientWidth / 12, canvas.clientHeight / 8) : dragged
      stop()
      dragged = null
      onArea(this.#degrees(rectangle))
    })
    canvas.addEventListener('pointercancel', stop)
    canvas.addEventListener('blur', stop)
    canvas.addEventListener('keydown', event => {
      const { clientWidth, clientHeight } = canvas
      const { x, y, width, height } = dragged ?? around({ x: clientWidth / 2, y: clientHeight / 3 }, clientWidth / 8, clientHeight / 5)
      const step = clientWidth / 40
      const scaled = factor => around({ x: x + width / 2, y: y + height / 2 }, width * factor, height * factor)
      const next = {
        ArrowLeft: { x: x - step, y, width, height },
        ArrowRight: { x: x + step, y, width, height },
        ArrowUp: { x, y: y - step, width, height },
        ArrowDown: { x, y: y + step, width, height },
        '+': scaled(1.25),
        '-': scaled(0.8),
      }
      if (Object.hasOwn(next, event.key)) frame(next[event.key])
      else if (event.key === 'Enter') {
        stop()
        onArea(this.#degrees({ x, y, width, height }))
      } else if (event.key === 'Escape') stop()
      else return
      event.preventDefault()
    })
  }

  #degrees({ x, y, width, height }) {
    const lng = pixels => Number((west + pixels / this.#canvas.clientWidth * (east - west)).toFixed(1))
    const lat = pixels => Number((north - pixels / this.#canvas.clientHeight * (north - south)).toFixed(1))
    return { south: lat(y + height), west: lng(x), north: lat(y), east: lng(x + width) }
  }
}

function rectangle(a, b) {
  return { x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), width: Math.abs(a.x - b.x), height: Math.abs(a.y - b.y) }
}
