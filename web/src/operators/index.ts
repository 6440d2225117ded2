import { addTexts } from '../i18n'
import Frame from './Frame'

export { AnalyticsPage } from './AnalyticsPage'
export { JobsPage } from './JobsPage'

const texts = {
  en: () => import('../i18n/operators/en.json'),
  uk: () => import('../i18n/operators/uk.json'),
  ru: () => import('../i18n/operators/ru.json'),
}

/** The frame, and the texts that only these pages have and nobody else loads. */
export async function frame(): Promise<typeof Frame> {
  await addTexts(texts)
  return Frame
}
