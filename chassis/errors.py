"""What an operator can put right.

OperatorError
 ├── SettingsError      chassis.settings
 ├── LockHeld           chassis.lock
 ├── BindFailed         chassis.binding
 └── CertificateError   chassis.tls, chassis.pki
"""


class OperatorError(Exception):
    """The process cannot start or go on because of its surroundings.

    Its text is for the operator: one line per problem, naming the thing and what would be right.
    `chassis.lifecycle.run` prints it without a traceback and exits with `os.EX_CONFIG`.
    """
