"""The errors whose one sentence a user can act on."""


class NotDone(RuntimeError):
    """A command that did not do what was asked; the message says why and what to do."""


def mendable() -> tuple[type[Exception], ...]:
    """Exception types whose message is the whole story; anything else is a fault of ours and keeps its trace."""
    from claims_assets.runtime.delta import ContractChanged
    from claims_assets.runtime.lake import NeverWritten
    from claims_assets.runtime.model_versions import NoWayBack
    from claims_assets.runtime.postgres import PostgresError
    from claims_assets.settings import SettingError
    from claims_assets.sources.feeds import LandingError
    from claims_assets.sources.provider_csv import ProviderFileError
    from claims_assets.sources.provider_database import ProvidersUnreachable
    from claims_assets.synthetic import SyntheticError

    return (
        NotDone, ContractChanged, NeverWritten, NoWayBack, PostgresError, SettingError,
        ProviderFileError, ProvidersUnreachable, LandingError, SyntheticError,
    )  # fmt: skip
