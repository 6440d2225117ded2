export function pageCount(total: number, size: number): number {
  return Math.max(1, Math.ceil(total / size))
}

export function rangeOf(page: number, size: number, rows: number): { from: number; to: number } {
  const from = (page - 1) * size + 1
  return { from, to: from + rows - 1 }
}

interface Place {
  page: number
  after: string | null
}

/**
 * The cursors by which a list's pages were reached. A page of which none is known is
 * asked for by counting, which is slower and shifts when rows come and go.
 */
export class Trail<View extends Place> {
  private list = ''
  private cursors = new Map<number, string>()

  /** keyOf: the same for views whose pages go on from each other. */
  constructor(private readonly keyOf: (view: View) => string) {}

  /** The page after this one begins at `cursor`. */
  learn(view: View, cursor: string | null): void {
    this.of(view)
    if (cursor === null) this.cursors.delete(view.page + 1)
    else this.cursors.set(view.page + 1, cursor)
  }

  to(view: View, page: number): Place {
    this.of(view)
    return { page, after: page === 1 ? null : (this.cursors.get(page) ?? null) }
  }

  private of(view: View): void {
    const list = this.keyOf(view)
    if (list === this.list) return
    this.list = list
    this.cursors.clear()
  }
}
