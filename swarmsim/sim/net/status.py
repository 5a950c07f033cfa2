"""How a call that was not answered ended: a code and a description (grpc-go's package status)."""

from __future__ import annotations

from swarmsim.sim.errors import ModelError

TRANSPORT_CLOSING = "transport is closing"
CLIENT_CLOSING = "grpc: the client connection is closing"


class RpcError(ModelError):
    """An error with a gRPC code (``"Unavailable"``, ``"NotFound"``, …) and a description."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def broken(self) -> bool:
        """Whether the connection failed, as opposed to the other side having answered (as SwarmKit's raftproxy tells them apart)."""
        return self.code == "Unavailable" and ("is closing" in self.message or "connection error" in self.message)

    def __str__(self) -> str:
        return f"rpc error: code = {self.code} desc = {self.message}"


def invalid_argument(message: str) -> RpcError:
    return RpcError("InvalidArgument", message)


def deadline_exceeded() -> RpcError:
    return RpcError("DeadlineExceeded", "context deadline exceeded")


def transport_closing() -> RpcError:
    """What a call says whose connection ended under it."""
    return RpcError("Unavailable", TRANSPORT_CLOSING)


def dialing_failed(error: ModelError) -> RpcError:
    """What a call says for which there is no connection."""
    return RpcError("Unavailable", f'connection error: desc = "transport: Error while dialing {error}"')


def handshake_failed(refusal: str) -> RpcError:
    """What a call says for which there is no connection since one side does not trust the other."""
    return RpcError("Unavailable", f'connection error: desc = "transport: authentication handshake failed: {refusal}"')
