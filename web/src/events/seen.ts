/** A page that nobody looks at lets its lines go after this; browsers have six a host. */
const HIDDEN_MS = 60_000

/** Follows while the page is looked at, until what it returns is called. */
export function whileSeen(follow: () => void, leave: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const look = () => {
    clearTimeout(timer)
    if (document.visibilityState === 'visible') follow()
    else timer = setTimeout(leave, HIDDEN_MS)
  }
  document.addEventListener('visibilitychange', look)
  look()
  return () => {
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', look)
    leave()
  }
}
