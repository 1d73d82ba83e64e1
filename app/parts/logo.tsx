export function LogoMark() {
  return (
    <svg viewBox="0 0 26 26" aria-hidden="true">
      <rect width="26" height="26" rx="6.5" fill="#fff" />
      <path
        d="M6.3 7.5 12 18.7 17.3 10.9"
        fill="none"
        stroke="#004747"
        strokeWidth="2.7"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
      <circle cx="19.6" cy="7.4" r="2.1" fill="#00807E" />
    </svg>
  )
}
