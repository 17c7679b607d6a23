// A server on 127.0.0.1 for tests: each request's head goes to a function that says what goes back, byte by byte.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace steer::fetch_test {

class OneServer {
  public:
    struct Reply {
        std::string bytes;
        bool hold = false;  // the connection stays open, and nothing more comes
    };
    using Handler = std::function<Reply(const std::string& request)>;

    explicit OneServer(Handler handler);
    ~OneServer();
    OneServer(const OneServer&) = delete;
    OneServer& operator=(const OneServer&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] std::string url(const std::string& target = "/list.txt",
                                  const std::string& host = "127.0.0.1") const;
    [[nodiscard]] std::vector<std::string> requests();

  private:
    void serve();
    void converse(int connection);

    const Handler handler_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::mutex mutex_;
    std::vector<std::string> requests_;
    std::vector<int> held_;
    std::thread thread_;
};

// "HTTP/1.1 200 OK", with a length.
std::string ok(const std::string& body, const std::string& fields = {});

// A resolver on 127.0.0.1 that answers A with 127.0.0.1 and AAAA with nothing, or as reported.
class OneResolver {
  public:
    enum class Says : std::uint8_t { address, no_such_name, failure, nothing, truncated };
    explicit OneResolver(Says says);
    ~OneResolver();
    OneResolver(const OneResolver&) = delete;
    OneResolver& operator=(const OneResolver&) = delete;
    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] unsigned asked() const { return asked_; }
    [[nodiscard]] unsigned asked_by_tcp() const { return asked_by_tcp_; }

  private:
    void serve();
    [[nodiscard]] std::vector<std::uint8_t> answer(std::vector<std::uint8_t> query, bool tcp) const;

    const Says says_;
    int udp_ = -1, tcp_ = -1, end_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<unsigned> asked_ = 0, asked_by_tcp_ = 0;
    std::thread thread_;
};

}  // namespace steer::fetch_test
