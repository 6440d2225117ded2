import { vi } from 'vitest'

export interface Asked {
  method: string
  path: string
  headers: Record<string, string>
  body: string | undefined
}

type Answer = (asked: Asked, signal: AbortSignal | null) => Response | Promise<Response>

/** A server of functions, by method and path without the query. Anything else is 404. */
export function serve(routes: Record<string, Answer>): Asked[] {
  const all: Asked[] = []
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    const asked: Asked = {
      method: init.method ?? 'GET',
      path: url,
      headers: init.headers as Record<string, string>,
      body: init.body as string | undefined,
    }
    all.push(asked)
    const answer = routes[`${asked.method} ${url.split('?')[0]}`]
    return answer === undefined ? problem(404, 'not_found') : answer(asked, init.signal ?? null)
  })
  return all
}

export function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status })
}

export function problem(status: number, code: string, detail = code): Response {
  return json({ status, code, detail, instance: 'r1' }, status)
}

/** A stream that a test writes to. */
export class Line {
  private controller: ReadableStreamDefaultController<Uint8Array> | undefined
  private readonly encoder = new TextEncoder()

  open(signal: AbortSignal | null): Response {
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => void (this.controller = controller),
    })
    signal?.addEventListener('abort', () => {
      try {
        this.controller?.error(new DOMException('aborted', 'AbortError'))
      } catch {
        // Closed already.
      }
    })
    return new Response(stream)
  }

  send(id: string, event: unknown): void {
    this.controller?.enqueue(this.encoder.encode(`id: ${id}\ndata: ${JSON.stringify(event)}\n\n`))
  }

  close(): void {
    this.controller?.close()
  }

  get opened(): boolean {
    return this.controller !== undefined
  }
}
