# A container that trains on CPU cores. Build it once, then let it write into ./runs as yourself:
#   docker build -t lecture-models .
#   mkdir -p runs
#   docker run --rm --user "$(id -u)" -v "$PWD/runs:/home/reader/runs" lecture-models --experiment=gan_mnist
# For a GPU, install '.[cuda]' below and start it with --gpus=all.
FROM python:3.13-slim
RUN useradd --create-home reader
WORKDIR /opt/lecture-models
COPY pyproject.toml setup.py constraints.txt README.md LICENSE launch.py ./
COPY lecture_models lecture_models
COPY experiments experiments
RUN pip install --no-cache-dir -c constraints.txt .
USER reader
WORKDIR /home/reader
ENTRYPOINT ["lecture-models"]
