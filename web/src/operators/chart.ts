/* The geometry of a line of values; drawn by Chart.tsx. */

export interface Box {
  width: number
  height: number
  left: number
  right: number
  top: number
  bottom: number
}

export interface Point {
  x: number
  y: number
  /** Which of the values it is. */
  i: number
}

/** The next round figure, of which half is one too: the lines of the grid stand there. */
export function niceTop(highest: number): number {
  if (!(highest > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(highest))
  const step =
    [1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10].find((n) => n * power >= highest * (1 - 1e-9)) ?? 10
  return step * power
}

/** From zero up, so that a line does not exaggerate. */
export function place(
  values: readonly (number | null)[],
  box: Box,
): { points: Point[]; top: number } {
  const top = niceTop(Math.max(0, ...values.filter((v) => v !== null)))
  const width = box.width - box.left - box.right
  const height = box.height - box.top - box.bottom
  const points: Point[] = []
  values.forEach((value, i) => {
    if (value === null) return
    const share = values.length === 1 ? 0.5 : i / (values.length - 1)
    points.push({
      i,
      x: box.left + share * width,
      y: box.top + height * (1 - Math.max(0, value) / top),
    })
  })
  return { points, top }
}

/** Lines through neighbours; where a value is missing there is a gap. */
export function lines(points: readonly Point[]): string {
  return points
    .map(({ x, y, i }, n) => {
      const joined = n > 0 && points[n - 1]?.i === i - 1
      return `${joined ? 'L' : 'M'}${round(x)} ${round(y)}`
    })
    .join('')
}

function round(n: number): number {
  return Math.round(n * 10) / 10
}
