import type { ReactNode } from 'react'

export function ChangesProvider({ children }: { children: ReactNode }) {
  return <>{children}</>
}
