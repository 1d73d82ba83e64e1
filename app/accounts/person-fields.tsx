import { Field, PasswordField } from './field.tsx'

/** Name, email and password of a new account. With an invitation the email is fixed. */
export function PersonFields({
  invitedEmail,
  errors,
  values,
}: {
  invitedEmail?: string
  errors: Record<string, string>
  values: Record<string, string>
}) {
  return (
    <>
      <div className={invitedEmail === undefined ? 'grid gap-x-4 gap-y-5 sm:grid-cols-2' : 'grid gap-y-5'}>
        <Field
          name="name"
          label="Full name"
          autoComplete="name"
          defaultValue={values.name}
          error={errors.name}
          required
        />
        <Field
          name="email"
          type="email"
          label="Email"
          autoComplete="username"
          error={errors.email}
          {...(invitedEmail === undefined
            ? { defaultValue: values.email, required: true }
            : { value: invitedEmail, readOnly: true, hint: 'The invitation is for this address.' })}
        />
      </div>
      <PasswordField
        name="password"
        label="Password"
        autoComplete="new-password"
        hint="At least 8 characters; a sentence works well."
        error={errors.password}
        required
      />
    </>
  )
}
