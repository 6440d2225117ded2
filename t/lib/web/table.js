'use strict'

// The programs page as tests use it: by what a person sees and a screen reader says.

const { Browser, sees, signIn, t } = require('./browser.js')
const { waitFor } = require('./stack.js')

/** The page with that login, once its rows, or why there are none, are there. */
async function open(stack, login, how = {}) {
  const browser = await Browser.open(stack, how)
  const page = await browser.tab()
  // The page's time can be moved on then.
  if (how.clock) await page.clock.install()
  await page.goto(how.address ?? '/programs')
  await page.waitForURL('**/login')
  await signIn(page, login, { stay: true })
  await page.waitForURL('**/programs*')
  return { browser, page }
}

const list = (page) => page.getByRole('region', { name: t('programs.list') })
const table = (page) => page.getByRole('region', { name: t('programs.table'), exact: true })
const rows = (page) => table(page).getByRole('row').filter({ has: page.getByRole('rowheader') })
const head = (page, name) => table(page).getByRole('columnheader', { name: t(`programs.column_${name}`), exact: true })

const figure = (text) => Number((/[\d][\d,.\u00a0\u202f ]*/.exec(text) ?? ['NaN'])[0].replace(/[^\d]/g, ''))

/** How many programs the page says there are. */
async function total(page) {
  const text = await list(page).getByText(/^[\d,]+ programs?$/).first().innerText({ timeout: 5000 }).catch(() => '')
  return text === '' ? undefined : figure(text)
}

async function totalBecomes(page, n) {
  await waitFor(`${n} programs`, async () => (await total(page)) === n).catch(() => {})
  return total(page)
}

/** The cells of a column on this page. */
async function column(page, name) {
  return table(page).locator(`tbody [data-column="${name}"]`).allInnerTexts()
}

const filter = (page, name) => list(page).getByRole('combobox', { name: t(`programs.${name}`), exact: true })

const offers = (page, name) => page.getByRole('listbox', { name: t(`programs.${name}`), exact: true }).getByRole('option')

/** What a filter that is open offers now: [{label, count}], the first being that it is none. */
async function offered(page, name) {
  const texts = await offers(page, name).allInnerTexts()
  return texts.map((text) => ({ label: text.split('\n')[0].trim(), count: figure(/([\d,]+) programs?/.exec(text)?.[1] ?? '') }))
}

/** Opens a filter: what it offers. */
async function choices(page, name) {
  await filter(page, name).click()
  const first = offers(page, name).first()
  await first.waitFor()
  // The count of "all" is asked for when somebody looks.
  await waitFor('the counts', async () => (await first.innerText()).match(/\d/))
  return offered(page, name)
}

async function choose(page, name, label) {
  if (!(await offers(page, name).first().isVisible())) await filter(page, name).click()
  await offers(page, name).filter({ has: page.getByText(label, { exact: true }) }).first().click()
}

const clear = (page) => list(page).getByRole('button', { name: t('programs.clearFilters') }).click()

module.exports = { choices, choose, clear, column, figure, filter, head, list, offered, offers, open, rows, sees, table, total, totalBecomes }
