import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router-dom'

import { Notice } from './Notice'

export function NotFound() {
  const { t } = useTranslation()
  return (
    <Notice page title={t('notFound')}>
      <Button component={Link} to="/programs">
        {t('toPrograms')}
      </Button>
    </Notice>
  )
}
