import { useEffect, useRef } from 'react'

/** Signals for what is asked for here: each ends when this is left, or with the next. */
export function useStop(): () => AbortSignal {
  const stop = useRef<AbortController>()
  useEffect(() => () => stop.current?.abort(), [])
  return () => {
    stop.current?.abort()
    stop.current = new AbortController()
    return stop.current.signal
  }
}
