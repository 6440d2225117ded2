import { Button } from '@mantine/core'
import { Component, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

import { Notice } from './Notice'

/** Catches what throws while it is drawn, so that a person never sees a white page. */
export class Boundary extends Component<{ children: ReactNode }, { broken: boolean }> {
  override state = { broken: false }

  static getDerivedStateFromError() {
    return { broken: true }
  }

  override render() {
    return this.state.broken ? <Broken /> : this.props.children
  }
}

export function Broken() {
  const { t } = useTranslation()
  return (
    <Notice page title={t('crashed')} text={t('crashedHelp')}>
      <Button onClick={() => window.location.reload()}>{t('reload')}</Button>
    </Notice>
  )
}
