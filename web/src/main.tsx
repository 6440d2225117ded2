import '@fontsource-variable/inter/wght.css'
import '@mantine/core/styles.css'
import '@mantine/notifications/styles.css'
import './ui/global.css'

import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'

import { App } from './app'
import { startI18n } from './i18n'
import { Session } from './session/session'
import { paintScheme } from './ui/scheme'

function tabStorage(): Storage | null {
  try {
    return window.sessionStorage
  } catch {
    return null
  }
}

async function start(): Promise<void> {
  paintScheme()
  await startI18n()
  const root = document.getElementById('root')
  if (root === null) throw new Error('index.html has no #root')
  createRoot(root).render(
    <StrictMode>
      <App session={new Session(tabStorage())} />
    </StrictMode>,
  )
}

void start()
