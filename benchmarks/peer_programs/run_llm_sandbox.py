"""llm-sandbox: its pool of Docker containers, which are used again and again; the making of its virtual environment is left out."""

import serving
from llm_sandbox.pool import PoolConfig, PooledSandboxSession, create_pool_manager


def main() -> None:
    job = serving.job()
    pool = create_pool_manager(
        config=PoolConfig(max_pool_size=1, min_pool_size=1),
        lang="python",
        image=job["image"],
        skip_environment_setup=True,
        runtime_configs={"network_mode": "none", "mem_limit": "512m"},
    )

    def evaluate() -> bool:
        with PooledSandboxSession(pool_manager=pool, lang="python") as session:
            result = session.run(job["program"])
        return result.exit_code == 0 and "all right" in result.stdout

    with pool:
        serving.serve(evaluate)


if __name__ == "__main__":
    main()
