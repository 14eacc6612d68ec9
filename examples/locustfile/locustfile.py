"""A locustfile like any other: `locust -f locustfile.py --host http://...` runs it too, unchanged."""

from locust import FastHttpUser, HttpUser, between, task


class Reader(HttpUser):
    """Reads answers as they come."""

    wait_time = between(0.5, 2)
    weight = 3

    def on_start(self):
        """Log in."""
        token = self.client.post("/login").json()["token"]
        self.client.headers["authorization"] = f"Bearer {token}"

    @task(2)
    def read_a_stream(self):
        """Ask for a stream and read it to its end."""
        asked = {"model": "sim-small", "messages": [{"role": "user", "content": "Tell me a story."}], "stream": True}
        answer = self.client.post("/v1/chat/completions", json=asked, stream=True, name="story")
        for _ in answer.iter_lines():
            pass

    @task
    def ask_and_look(self):
        """Ask twice, and judge the second answer by what it says."""
        asked = {"model": "sim-small", "messages": [{"role": "user", "content": "What is 2 + 2?"}]}
        self.client.post("/v1/chat/completions", json=asked, name="question")
        with self.client.post("/v1/chat/completions", json=asked, name="follow-up", catch_response=True) as answer:
            if answer.ok and not answer.json()["choices"][0]["message"]["content"]:
                answer.failure("it says nothing")


class Glancer(FastHttpUser):
    """Looks whether it lives, and is content with a 404."""

    wait_time = between(0.5, 2)

    @task
    def glance(self):
        """Look twice."""
        self.client.get("/health", name="health")
        with self.client.get("/nothing-here", name="missing", catch_response=True) as answer:
            if answer.status_code == 404:
                answer.success()
