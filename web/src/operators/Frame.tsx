import { QueryClientProvider } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, NavLink, Outlet, useLocation } from 'react-router-dom'

import { newQueryClient } from '../api/queries'
import { ApiProvider } from '../session/context'
import { Brand } from '../ui/Brand'
import { LanguageMenu, SchemeMenu } from '../ui/Preferences'
import { toContent } from '../ui/Shell'
import shell from '../ui/Shell.module.css'
import classes from './Frame.module.css'
import { operatorsApi } from './queries'

/** The frame of the operators' pages; the browser itself has asked who it is. */
export default function Frame() {
  const { t } = useTranslation(['operators', 'common'])
  const [client] = useState(newQueryClient)
  return (
    <ApiProvider value={operatorsApi}>
      <QueryClientProvider client={client}>
        <Place />
        <div className={shell.shell}>
          <a className={shell.skip} href="#content" onClick={toContent}>
            {t('common:skip')}
          </a>
          <header className={shell.header}>
            <Link to="/analytics" className={`${shell.home} ${classes.home}`}>
              <Brand />
            </Link>
            <nav className={classes.nav} aria-label={t('pages')}>
              <NavLink to="/analytics">{t('analytics')}</NavLink>
              <NavLink to="/jobs">{t('jobs')}</NavLink>
            </nav>
            <div className={shell.tools}>
              <LanguageMenu />
              <SchemeMenu />
            </div>
          </header>
          <main id="content" tabIndex={-1} className={shell.content}>
            <Outlet />
          </main>
        </div>
      </QueryClientProvider>
    </ApiProvider>
  )
}

/** Which page it is: in the name of the tab, and for the keyboard. */
function Place() {
  const { t } = useTranslation(['operators', 'common'])
  const { pathname, search } = useLocation()
  const name = pathname === '/jobs' ? t('jobs') : t('analytics')
  const brand = t('common:brand')
  useEffect(() => {
    document.title = `${name} · ${brand}`
    return () => void (document.title = brand)
  }, [name, brand])
  const page = `${pathname} ${new URLSearchParams(search).get('job')}`
  const last = useRef(page)
  useEffect(() => {
    if (last.current === page) return
    last.current = page
    // The link that led here has gone with the page that had it.
    if (document.activeElement === document.body) {
      document.getElementById('content')?.focus({ preventScroll: true })
    }
  }, [page])
  return null
}
