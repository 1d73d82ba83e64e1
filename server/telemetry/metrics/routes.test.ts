import { describe, expect, it } from 'vitest'
import { createRoutes } from './routes.ts'

const routeOf = createRoutes({
  pages: ['/', '/users', '/users/:userId/journey', '/users.csv', '/*'],
  rest: ['/stats', '/users/{userId}/journey', '/users/{userId}', '/api/auth/sign-in/email'],
  procedures: ['journey.byUser', 'stats.overview'],
})

describe('routes', () => {
  it.each([
    ['/', '/'],
    ['/users', '/users'],
    ['/users/', '/users'],
    ['/users.csv', '/users.csv'],
    ['/users/a%2Fb/journey', '/users/{userId}/journey'],
    ['/users/lena@nordlicht.example', '/users/{userId}'],
    ['/api/auth/sign-in/email', '/api/auth/sign-in/email'],
    ['/trpc/journey.byUser', '/trpc/journey.byUser'],
    ['/trpc/journey.byUser,stats.overview', '/trpc/{several}'],
    ['/trpc/anything', '/trpc/{unknown}'],
    ['/assets/app-1234.js', '/assets/{file}'],
    ['/api-docs/swagger-ui.css', '/api-docs'],
    ['/health/ready', '/health/ready'],
  ])('%s is %s', (path, route) => {
    expect(routeOf(path)).toBe(route)
  })

  it.each(['/wp-login.php', '/users//journey', '/users/1/2/3', '//users', ''])('%s is none of ours', (path) => {
    expect(routeOf(path)).toBe('other')
  })
})
