import { localStorageColorSchemeManager } from '@mantine/core'

export const scheme = localStorageColorSchemeManager({ key: 'lockstep.scheme' })

/**
 * Before the first paint of the page, in place of Mantine's inline script, which the
 * Content Security Policy would not run.
 */
export function paintScheme(): void {
  const wanted = scheme.get('auto')
  const dark = window.matchMedia('(prefers-color-scheme: dark)').matches
  const shown = wanted === 'auto' ? (dark ? 'dark' : 'light') : wanted
  document.documentElement.setAttribute('data-mantine-color-scheme', shown)
}
