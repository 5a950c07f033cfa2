"""Flags about certificate authorities that read files as they are parsed (docker/cli command/swarm/opts.go, opts/pem.go)."""

from __future__ import annotations

from swarmsim.apitypes.swarm import ExternalCA
from swarmsim.docker.errors import CommandError
from swarmsim.docker.files import Files
from swarmsim.go import csv
from swarmsim.go.pflag import FlagType


def reading(files: Files) -> dict[str, FlagType]:
    """The types of flags whose values are looked up in ``files``."""
    return {
        "pem-file": FlagType(lambda path: _pem(files, path)),
        "external-ca": FlagType(lambda text: [_external_ca(files, text)], repeatable=True),
    }


def _pem(files: Files, path: str) -> str:
    text = _read(files, path)
    if "-----BEGIN " not in text or "-----END " not in text:
        raise ValueError("file contents must be in PEM format")
    return text


def _read(files: Files, path: str) -> str:
    try:
        return files.read(path)
    except CommandError as error:
        raise ValueError(str(error)) from None


def _external_ca(files: Files, text: str) -> ExternalCA:
    """``protocol=cfssl,url=https://…[,cacert=FILE]``"""
    protocol = url = ca_cert = ""
    options: dict[str, str] = {}
    given: set[str] = set()
    for field in csv.read_line(text):
        key, equals, value = field.partition("=")
        if not equals:
            raise ValueError(f"invalid field '{field}' must be a key=value pair")
        given.add(key.lower())
        if key.lower() == "protocol":
            if value.lower() != "cfssl":
                raise ValueError(f"unrecognized external CA protocol {value}")
            protocol = "cfssl"
        elif key.lower() == "url":
            url = value
        elif key.lower() == "cacert":
            try:
                ca_cert = _read(files, value)
            except ValueError as error:
                raise ValueError(f"unable to read CA cert for external CA: {error}") from None
        else:
            options[key] = value
    if "protocol" not in given:
        raise ValueError("the external-ca option needs a protocol= parameter")
    if "url" not in given:
        raise ValueError("the external-ca option needs a url= parameter")
    return ExternalCA(protocol=protocol, url=url, options=options or None, ca_cert=ca_cert)
