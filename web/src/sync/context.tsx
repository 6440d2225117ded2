import type { ReactNode } from 'react'

export function SyncProvider({ children }: { children: ReactNode }) {
  return <>{children}</>
}
