import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Browser, openBrowser } from '../chromium.ts'
import { startServer, type TestServer } from '../server.ts'
import { owner } from '../shop.ts'
import { atWork, describePages, newStore, watchConsole } from './shop.ts'

describePages('pages before and after a login', (store) => {
  let server: TestServer
  let browser: Browser
  let complaints: string[]

  beforeAll(async () => {
    server = await startServer({ args: ['--no-demo'], env: await newStore(store) })
    browser = await openBrowser()
    complaints = watchConsole(browser.context)
  })
  afterAll(async () => browser?.close())

  const page = () => browser.context.pages()[0]!

  it('lead the first visitor to the set-up, which says by the field what is wrong', async () => {
    await page().goto(`${server.url}/`)
    expect(new URL(page().url()).pathname).toBe('/signup')
    await page().fill('[name=name]', owner.name)
    await page().fill('[name=email]', 'lena@')
    await page().fill('[name=password]', 'short')
    await page().click('button[type=submit]')
    await page().waitForSelector('#email[aria-invalid=true]')
    expect(await page().textContent('#email-below')).toContain('Enter an email address')
    expect(await page().textContent('#password-below')).toContain('Use at least 8 characters')
    expect(await page().textContent('#siteName-below')).toContain('Enter the name of your shop')
    expect(await page().inputValue('[name=name]')).toBe(owner.name)
    expect(await page().inputValue('[name=password]')).toBe('')
  })

  it('make the owner and the shop in its zone and currency', async () => {
    await page().fill('[name=email]', owner.email)
    await page().fill('[name=password]', owner.password)
    await page().fill('[name=siteName]', 'Nordlicht Outdoor')
    await page().selectOption('[name=timeZone]', 'Asia/Kathmandu')
    await page().selectOption('[name=currency]', 'CHF')
    await page().click('button[type=submit]')
    await page().waitForURL('**/dashboard')
    await page().locator('h1', { hasText: 'Send your first event' }).waitFor()
    expect(await page().textContent('footer.foot')).toContain('All times in Asia/Kathmandu (UTC+5:45)')
    expect(await page().textContent('.code-box')).toContain(`${server.url}/events`)
  })

  it('send those who are logged in past the login', async () => {
    await page().goto(`${server.url}/login?next=/users`)
    expect(new URL(page().url()).pathname).toBe('/users')
  })

  it('log out by a form and forget the login', async () => {
    await atWork(page())
    await page().click('.account')
    await page().click('.account-menu button:has-text("Logout")')
    await page().waitForURL('**/login')
    await page().goto(`${server.url}/users?sort=orders&order=desc`)
    expect(new URL(page().url()).searchParams.get('next')).toBe('/users?sort=orders&order=desc')
  })

  it('refuse a wrong password by the field and keep the email', async () => {
    await page().fill('[name=email]', owner.email)
    await page().fill('[name=password]', 'not-the-password')
    await page().click('button[type=submit]')
    await page().waitForSelector('[role=alert]')
    expect(await page().inputValue('[name=email]')).toBe(owner.email)
    expect(await page().inputValue('[name=password]')).toBe('')
  })

  it('lead on to where the login was asked for', async () => {
    await page().fill('[name=password]', owner.password)
    await page().check('[name=remember]')
    await page().click('button[type=submit]')
    await page().waitForURL((url) => url.pathname === '/users')
    expect(new URL(page().url()).search).toBe('?sort=orders&order=desc')
    const session = (await browser.context.cookies()).find((cookie) => cookie.name === 'veritas_session')
    expect(session).toMatchObject({ httpOnly: true, sameSite: 'Lax' })
    expect(session!.expires * 1000 - Date.now()).toBeGreaterThan(29 * 86_400_000)
  })

  it('never lead to another server', async () => {
    await browser.context.clearCookies()
    await page().goto(`${server.url}/login?next=//evil.example/`)
    await page().fill('[name=email]', owner.email)
    await page().fill('[name=password]', owner.password)
    await page().click('button[type=submit]')
    await page().waitForURL('**/dashboard')
    expect(page().url().startsWith(server.url)).toBe(true)
  })

  it('keep the chosen theme, applied by the server', async () => {
    await atWork(page())
    await page().click('.account')
    await page().click('.account-menu button:has-text("Dark")')
    await page().waitForSelector('html[data-theme=dark]')
    const cookie = (await browser.context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ')
    const html = await (await fetch(`${server.url}/users`, { headers: { cookie, accept: 'text/html' } })).text()
    expect(html).toContain('<html lang="en" data-theme="dark">')
  })

  it('tell that sign-up is by invitation, and honour one', async () => {
    const cookie = (await browser.context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ')
    const answer = await fetch(`${server.url}/trpc/auth.invite`, {
      method: 'POST',
      headers: { cookie, 'content-type': 'application/json', origin: server.url },
      body: JSON.stringify({ email: 'jonas@nordlicht.example' }),
    })
    const { result } = (await answer.json()) as { result: { data: { invitation: string } } }
    await browser.context.clearCookies()

    await page().goto(`${server.url}/signup`)
    expect(await page().textContent('h1')).toBe('Sign up is by invitation')
    await page().goto(`${server.url}/signup?invitation=not-one`)
    expect(await page().textContent('h1')).toBe('Sign up is by invitation')

    await page().goto(`${server.url}/signup?invitation=${encodeURIComponent(result.data.invitation)}`)
    expect(await page().inputValue('[name=email]')).toBe('jonas@nordlicht.example')
    expect(await page().getAttribute('[name=email]', 'readonly')).not.toBeNull()
    await page().fill('[name=name]', 'Jonas Weber')
    await page().fill('[name=password]', 'another-long-password')
    await page().click('button[type=submit]')
    await page().waitForURL('**/dashboard')
    await atWork(page())
    await page().click('.account')
    expect(await page().textContent('.account-menu .pop')).toContain('Analyst')
  })

  it('made no complaint in the console', () => {
    expect(complaints).toEqual([])
  })
})
