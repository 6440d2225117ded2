import { useEffect } from 'react'

/**
 * Where the keyboard was before this came up is where it is when this has gone: the
 * content of the page, when that is no longer there. For dialogs that are drawn only
 * while they are open, whose library knows of no "before".
 */
export function useFocusBack(): void {
  useEffect(() => {
    const before = document.activeElement
    return () => {
      // After the trap of the dialog has let go.
      setTimeout(() => {
        const there =
          before instanceof HTMLElement && before.isConnected && before !== document.body
        const to = there ? before : document.getElementById('content')
        to?.focus({ preventScroll: true })
      })
    }
  }, [])
}
