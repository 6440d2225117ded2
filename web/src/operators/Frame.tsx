import { QueryClientProvider } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, NavLink, Outlet } from 'react-router-dom'

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
