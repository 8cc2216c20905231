"""epicbox: a new Docker container for each evaluation."""

import logging
import os

import epicbox
import serving


def main() -> None:
    logging.disable()
    job = serving.job()
    epicbox.configure([epicbox.Profile("python", job["image"])], docker_url=os.environ["DOCKER_HOST"])
    files = [{"name": "job.py", "content": job["program"].encode()}]

    def evaluate() -> bool:
        limits = {"cputime": 20, "realtime": 20, "memory": 512, "processes": 64}
        result = epicbox.run("python", "python3 job.py", files=files, limits=limits)
        return result["exit_code"] == 0 and b"all right" in result["stdout"]

    serving.serve(evaluate)


if __name__ == "__main__":
    main()
