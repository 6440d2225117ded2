import { Paper, Text, Title } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { Navigate, useLocation, type Location } from 'react-router-dom'

import { Brand } from '../ui/Brand'
import { LanguageMenu, SchemeMenu } from '../ui/Preferences'
import { useSessionState } from './context'
import { LoginForm } from './LoginForm'
import classes from './LoginPage.module.css'

/** Where somebody was going, and who that was, if they had been signed in. */
interface Whence {
  from: Location
  user: string | null
}

/** What one account was looking at is nothing to another. */
function backTo(whence: Whence | null, user: string): Location | string {
  if (whence === null || (whence.user !== null && whence.user !== user)) return '/programs'
  return whence.from
}

export function LoginPage() {
  const { t } = useTranslation('login')
  const state = useSessionState()
  const whence = useLocation().state as Whence | null
  if (state.is !== 'out') return <Navigate to={backTo(whence, state.user)} replace />
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
