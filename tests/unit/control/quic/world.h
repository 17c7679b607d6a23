// A QuicServer without sockets, and clients that reach it over a network that the test is.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "client.h"
#include "control/streams/quic/server.h"

namespace steer::quic::test {

// A certificate that signs itself, for servers and clients.
Pem make_certificate();
const Pem& certificate();  // always the same

struct Passed {
    std::uint64_t connection;
    StreamId stream;
    QuicPath addresses;
    std::string server_name;
    unsigned path;
    std::string forwarded_for;
    Bytes message;
};

class World final : public QuicServer::Sender, public QueryTaker {
  public:
    explicit World(const config::ServerLimits& limits = {}, unsigned thread = 0,
                   unsigned threads = 1, const ServerTlsSettings& tls = {});
    // A server over HTTP/3.
    explicit World(const HttpPaths& http, const config::ServerLimits& limits = {});

    Client& connect(Client::Settings settings = {});
    // Moves datagrams until none is left.
    void run();
    // Until the client's handshake is complete, or failed.
    Client& connected(const Client::Settings& settings = {});
    // Handshakes that get no further than their first packets: no answer arrives.
    void begin(unsigned count, const Client::Settings& settings = {});
    void pass(std::uint64_t ms);
    // A new server, whose process has this memory. Before clients connect.
    void limit_memory(std::uint64_t bytes, std::uint64_t reserve);
    // A datagram by itself. The answers.
    std::vector<Bytes> receive(const Bytes& bytes, std::uint16_t port = 40'000);
    void answer(const Passed& query, const Bytes& response, QueryEnd end = QueryEnd::answered);

    [[nodiscard]] std::uint64_t get(QuicCount which) { return server->counters().get(which); }
    [[nodiscard]] Times times() const { return {now, now + 1'700'000'000 * kSecond}; }

    Nanoseconds now = 1'000 * kSecond;
    std::shared_ptr<ProcessMemory> process =
        std::make_shared<ProcessMemory>(std::uint64_t{4} << 30, std::uint64_t{64} << 20);
    std::unique_ptr<ThreadMemory> memory = std::make_unique<ThreadMemory>(process);
    std::shared_ptr<QuicService> service;
    std::unique_ptr<QuicServer> server;
    std::vector<std::unique_ptr<Client>> clients;
    std::vector<Passed> passed;
    bool has_room = true;
    std::vector<Datagram> sent;  // by the server
    std::size_t largest = 1500;  // datagram that arrives at a client

  private:
    void make_server(unsigned thread, unsigned threads);
    void send(const QuicPath& path, unsigned ecn, std::span<const std::uint8_t> bytes,
              std::size_t each) override;
    bool take_query(const StreamQuery& query) override;
};

// A query for example. A, as a message and behind its length.
Bytes message(std::uint16_t id = 0);
Bytes framed(const Bytes& message);

}  // namespace steer::quic::test
