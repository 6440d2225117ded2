import type { ReactNode } from 'react'

import { ChevronLeftIcon, ChevronRightIcon } from '../ui/icons'

function twice(one: ReactNode, other: ReactNode) {
  return (
    <span style={{ display: 'inline-flex' }}>
      <span style={{ marginInlineEnd: -10, display: 'inline-flex' }}>{one}</span>
      {other}
    </span>
  )
}

export function FirstIcon() {
  return twice(<ChevronLeftIcon size={16} />, <ChevronLeftIcon size={16} />)
}

export function LastIcon() {
  return twice(<ChevronRightIcon size={16} />, <ChevronRightIcon size={16} />)
}
