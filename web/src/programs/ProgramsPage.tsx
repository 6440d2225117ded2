import { useTranslation } from 'react-i18next'

import { StaleNote } from '../sync/StaleNote'
import { SyncPanel } from '../sync/SyncPanel'

export default function ProgramsPage() {
  const { t } = useTranslation('programs')
  return (
    <>
      <SyncPanel title={t('title')} />
      <StaleNote />
    </>
  )
}
