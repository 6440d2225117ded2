import { Title } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import { SyncPanel } from '../sync/SyncPanel'

export default function ProgramsPage() {
  const { t } = useTranslation('programs')
  return (
    <>
      <Title order={1} mb="sm">
        {t('title')}
      </Title>
      <SyncPanel />
    </>
  )
}
