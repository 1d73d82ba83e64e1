import type { ReactNode } from 'react'
import { LogoMark } from '../parts/logo.tsx'

/** Layout of the pages shown before login: a description of Veritas on one side, a single form on the other. */
export function AuthPage({ wide = false, children }: { wide?: boolean; children: ReactNode }) {
  return (
    <div className="auth">
      <aside className="pitch" aria-label="About Veritas">
        <span className="logo">
          <LogoMark />
          Veritas
        </span>
        <div className="middle">
          <p className="tagline">See the truth about your customers</p>
          <p>Every visit, cart and order of your shop, counted once and kept on your own server.</p>
          <Art />
        </div>
        <p className="max-w-none! text-[13px]!">
          Self-hosted. No cookies set by third parties. No data leaves this machine.
        </p>
      </aside>
      <main className="side" id="main">
        <div className={wide ? 'box wide' : 'box'}>
          <span className="logo small-logo">
            <LogoMark />
            Veritas
          </span>
          {children}
        </div>
      </main>
    </div>
  )
}

function Art() {
  return (
    <svg className="art" viewBox="0 0 560 250" aria-hidden="true" fill="none">
      <g stroke="#fff" strokeOpacity=".13">
        <path d="M0 10h560M0 90h560M0 170h560" />
        <path d="M0 249h560" strokeOpacity=".4" />
      </g>
      <path
        d="M0 204C50 196 74 176 112 178s66 24 104 12 58-66 104-72 62 34 108 22 78-78 132-98V249H0Z"
        fill="#fff"
        fillOpacity=".07"
      />
      <path
        d="M0 224c54-6 80-20 122-20s70 10 112 2 60-38 108-40 70 14 112 6 68-34 106-40"
        stroke="#fff"
        strokeOpacity=".55"
        strokeWidth="1.5"
        strokeDasharray="5 5"
      />
      <path
        d="M0 204C50 196 74 176 112 178s66 24 104 12 58-66 104-72 62 34 108 22 78-78 132-98"
        stroke="#fff"
        strokeWidth="2.5"
      />
      <circle cx="320" cy="118" r="5.5" fill="#005655" stroke="#fff" strokeWidth="2.5" />
    </svg>
  )
}
