// A connection that blocks, over a Transport: for programs that a person started and waits for.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "routeros/link.h"
#include "routeros/transport.h"

namespace steer::routeros {

class BlockingLink final : private LinkUser {
  public:
    explicit BlockingLink(TransportConfig config);
    ~BlockingLink() override { transport_.stop(); }
    BlockingLink(const BlockingLink&) = delete;
    BlockingLink& operator=(const BlockingLink&) = delete;

    // Waits for `connect_timeout_ms` of the configuration at most. False: see failure().
    [[nodiscard]] bool connect();
    void send(std::string_view bytes) { transport_.send(bytes); }
    // Replaces `bytes` by the next ones. False: the connection ended, or there were none in time; see failure().
    [[nodiscard]] bool receive(std::string& bytes, std::chrono::milliseconds patience);

    [[nodiscard]] const LinkFailure& failure() const { return failure_; }
    [[nodiscard]] std::string local_address() const { return transport_.local_address(); }

  private:
    void connected(std::uint64_t) override { is_connected_ = true; }
    void received(std::string_view bytes, std::uint64_t) override { in_.append(bytes); }
    void closed(std::string_view, std::uint64_t) override;
    void tick(std::uint64_t) override {}
    [[nodiscard]] std::uint64_t next_deadline() const override { return UINT64_MAX; }

    boost::asio::io_context io_{1};
    Transport transport_;
    std::string in_;  // received and not taken
    bool is_connected_ = false, has_failed_ = false;
    LinkFailure failure_;
};

}  // namespace steer::routeros
