/* The geometry of a line of values; drawn by Chart.tsx. */

export interface Box {
  width: number
  height: number
  left: number
  right: number
  top: number
  bottom: number
}

export interface Value {
  /** The number of its day. */
  at: number
  /** null: no data. */
  value: number | null
}

export interface Point {
  x: number
  y: number
  /** Which of the values it is. */
  i: number
  /** Whether nothing is missing between the one before and it. */
  joined: boolean
}

const DAY_MS = 86_400_000

/** How many days after the first of 1970 a day is. */
export function dayNumber(day: string): number {
  return Math.floor(Date.parse(day) / DAY_MS)
}

/** The next round figure, of which half is one too: the lines of the grid stand there. */
export function niceTop(highest: number): number {
  if (!(highest > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(highest))
  const step =
    [1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10].find((n) => n * power >= highest * (1 - 1e-9)) ?? 10
  return step * power
}

/** From zero up, so that a line does not exaggerate; by days, so that it does not hurry. */
export function place(values: readonly Value[], box: Box): { points: Point[]; top: number } {
  const top = niceTop(Math.max(0, ...values.map(({ value }) => value ?? 0)))
  const width = box.width - box.left - box.right
  const height = box.height - box.top - box.bottom
  const first = values[0]?.at ?? 0
  const days = (values.at(-1)?.at ?? 0) - first
  const step = usualStep(values)
  const points: Point[] = []
  values.forEach(({ at, value }, i) => {
    if (value === null) return
    const before = values[i - 1]
    points.push({
      i,
      x: box.left + (days === 0 ? 0.5 : (at - first) / days) * width,
      y: box.top + height * (1 - Math.max(0, value) / top),
      joined: before !== undefined && before.value !== null && at - before.at < 2 * step,
    })
  })
  return { points, top }
}

/** The days from one to the next, as they mostly are: each night, or each week. */
function usualStep(values: readonly Value[]): number {
  const steps = values
    .slice(1)
    .map(({ at }, i) => at - (values[i]?.at ?? at))
    .filter((step) => step > 0)
    .sort((a, b) => a - b)
  return steps[Math.floor((steps.length - 1) / 2)] ?? 0
}

/** Lines through neighbours; where a period is missing, or has no value, there is a gap. */
export function lines(points: readonly Point[]): string {
  return points.map(({ x, y, joined }) => `${joined ? 'L' : 'M'}${round(x)} ${round(y)}`).join('')
}

function round(n: number): number {
  return Math.round(n * 10) / 10
}
