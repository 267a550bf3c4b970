from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """A bucket of an S3-compatible store on this machine."""
    s3fs = pytest.importorskip("s3fs", reason="s3fs is not installed: pip install fetal-monai[cluster]")
    moto_server = pytest.importorskip("moto.server", reason="moto is not installed: pip install fetal-monai[dev]")
    with pytest.MonkeyPatch.context() as environment:
        server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
        server.start()
        host, port = server.get_host_and_port()
        environment.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        environment.setenv("AWS_ACCESS_KEY_ID", "key")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        s3fs.S3FileSystem.clear_instance_cache()  # it may know the server of another module
        s3fs.S3FileSystem().mkdir("archive")
        yield "s3://archive"
        s3fs.S3FileSystem().rm("archive", recursive=True)  # what servers of one process hold, they share
        server.stop()


@pytest.fixture(scope="module")
def cluster(bucket: str) -> Iterator[None]:
    """A Ray cluster of two cores in this process, with little memory, whose workers know the bucket."""
    from fetal_monai.cohort.cluster import connected

    with connected(None, cores=2, object_store_mib=100):
        yield
