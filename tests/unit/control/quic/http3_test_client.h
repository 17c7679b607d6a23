// A client of HTTP/3 for tests: nghttp3 used directly, on a Client's streams.
#pragma once

#include <nghttp3/nghttp3.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "client.h"

namespace steer::quic::test {

class Http3TestClient {
  public:
    using Fields = std::vector<std::pair<std::string, std::string>>;

    // `client`: its handshake is complete.
    explicit Http3TestClient(Client& client);
    ~Http3TestClient();
    Http3TestClient(const Http3TestClient&) = delete;
    Http3TestClient& operator=(const Http3TestClient&) = delete;

    // Requests; the number of the stream. turn() sends them.
    std::int64_t get(const std::string& path);
    std::int64_t post(const std::string& path, const Bytes& content,
                      const std::string& type = "application/dns-message");
    std::int64_t request(const Fields& fields, const Bytes& content = {}, bool has_end = true);
    // Takes what the client has received, and gives it what is to be sent.
    void turn();

    struct Answer {
        std::map<std::string, std::string> fields;
        Bytes content;
        bool is_ended = false;
    };
    std::map<std::int64_t, Answer> answers;
    bool is_sent_away = false;

  private:
    struct Calls;
    Client& client_;
    nghttp3_conn* conn_ = nullptr;
    std::map<std::int64_t, std::size_t> taken_;
    struct Content {
        Bytes bytes;
        bool is_read = false, has_end = true;
    };
    std::map<std::int64_t, Content> contents_;
};

}  // namespace steer::quic::test
