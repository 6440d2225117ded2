import { Paper, Text, Title } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { Navigate, useLocation, type Location } from 'react-router-dom'

import { Brand } from '../ui/Brand'
import { LanguageMenu, SchemeMenu } from '../ui/Preferences'
import { useSessionState } from './context'
import { LoginForm } from './LoginForm'
import classes from './LoginPage.module.css'

export function LoginPage() {
  const { t } = useTranslation('login')
  const state = useSessionState()
  const from = (useLocation().state as { from?: Location } | null)?.from
  if (state.is !== 'out') return <Navigate to={from ?? '/programs'} replace />
  return (
    <div className={classes.page}>
      <header className={classes.header}>
        <LanguageMenu />
        <SchemeMenu />
      </header>
      <main className={classes.main}>
        <div className={classes.brand}>
          <Brand />
        </div>
        <Paper className={classes.card} withBorder>
          <Title order={1}>{t('title')}</Title>
          <Text c="dimmed" mt={4} mb="lg">
            {t('intro')}
          </Text>
          <LoginForm />
        </Paper>
      </main>
    </div>
  )
}
