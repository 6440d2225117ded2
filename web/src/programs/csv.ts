/**
 * Counts the rows of a CSV file (RFC 4180) that arrives in pieces. A line break within
 * quotes is part of a cell; a quote is never half of a character in UTF-8, so bytes do.
 */
export class CsvCounter {
  private quoted = false
  private open = false
  private ended = 0

  take(piece: Uint8Array): void {
    for (const byte of piece) {
      if (byte === QUOTE) this.quoted = !this.quoted
      if (byte === LF && !this.quoted) {
        if (this.open) this.ended++
        this.open = false
      } else if (byte !== CR || this.quoted) this.open = true
    }
  }

  /** Rows without the header that are there in full. */
  get rows(): number {
    return Math.max(0, this.ended - 1)
  }

  /** Whether the file may end here: not within a row. */
  get whole(): boolean {
    return !this.open && !this.quoted
  }
}

const QUOTE = 0x22
const LF = 0x0a
const CR = 0x0d
