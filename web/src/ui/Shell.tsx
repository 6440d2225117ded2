import { ActionIcon, Menu, UnstyledButton, VisuallyHidden } from '@mantine/core'
import { lazy, Suspense, useRef, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useLocation, useNavigate } from 'react-router-dom'

import { useSession, useSessionState } from '../session/context'
import { Brand } from './Brand'
import { HistoryIcon, SignOutIcon, UserIcon } from './icons'
import { LanguageMenu, SchemeMenu } from './Preferences'
import classes from './Shell.module.css'

const HistoryDrawer = lazy(() => import('../history/HistoryDrawer'))

/** The frame of every page behind the login. The history is open at #history. */
export function Shell({ children }: { children: ReactNode }) {
  const { t } = useTranslation()
  const location = useLocation()
  const navigate = useNavigate()
  const open = location.hash === '#history'
  const here = { pathname: location.pathname, search: location.search }
  const left = useRef('')
  // Closing is a step back when it was opened from here, and one step alone.
  const close = () => {
    if (left.current === location.key) return
    left.current = location.key
    const from = (location.state as { from?: boolean } | null)?.from === true
    if (from) navigate(-1)
    else navigate(here, { replace: true })
  }
  return (
    <div className={classes.shell}>
      <a className={classes.skip} href="#content" onClick={toContent}>
        {t('skip')}
      </a>
      <header className={classes.header}>
        <Link to="/programs" state={{ anew: true }} className={classes.home}>
          <Brand />
        </Link>
        <div className={classes.tools}>
          <ActionIcon
            component={Link}
            to={{ ...here, hash: 'history' }}
            state={{ from: true }}
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={t('history')}
            title={t('history')}
          >
            <HistoryIcon />
          </ActionIcon>
          <LanguageMenu />
          <SchemeMenu />
          <AccountMenu />
        </div>
      </header>
      <main id="content" tabIndex={-1} className={classes.content}>
        {children}
      </main>
      <Suspense fallback={null}>{open && <HistoryDrawer onClose={close} />}</Suspense>
    </div>
  )
}

/** The address keeps what it says of the view. */
export function toContent(event: { preventDefault(): void }): void {
  event.preventDefault()
  document.getElementById('content')?.focus()
}

function AccountMenu() {
  const { t } = useTranslation()
  const session = useSession()
  const state = useSessionState()
  const user = state.is === 'out' ? '' : state.user
  return (
    <Menu position="bottom-end" width={240} withinPortal={false}>
      <Menu.Target>
        <UnstyledButton className={classes.account}>
          <UserIcon />
          <VisuallyHidden>{t('account')}</VisuallyHidden>
          <span className={classes.user} dir="auto" title={user}>
            {user}
          </span>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label className={classes.label} dir="auto" title={user}>
          {user}
        </Menu.Label>
        <Menu.Divider />
        <Menu.Item leftSection={<SignOutIcon size={16} />} onClick={() => session.signOut()}>
          {t('signOut')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
