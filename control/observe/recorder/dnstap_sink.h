// Sends queries and responses to a dnstap receiver, over a unix socket or TCP.
//
// libfstrm frames them; its own thread writes and reconnects (once a second). Its queue has 16,384
// messages, 40 ms at 200,000 queries a second. Messages that do not fit wait here, up to
// kWaitingBytes; further ones are dropped and counted. Reads and writes end after kPatienceS, so a
// hanging receiver is disconnected.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "control/config/settings/recorder_settings.h"
#include "control/observe/recorder/dnstap_message.h"

namespace steer::recorder {

class DnstapSink {
  public:
    static constexpr unsigned kPatienceS = 1;
    static constexpr std::size_t kWaitingBytes = std::size_t{32} << 20;
    using Warn = std::function<void(const std::string&)>;

    // `warn` gets each change of the connection; poll() calls it.
    DnstapSink(const config::RecorderTap& settings, DnstapSource source, Warn warn);
    // Hands over what waits, if the receiver takes it within kPatienceS.
    ~DnstapSink();
    DnstapSink(const DnstapSink&) = delete;
    DnstapSink& operator=(const DnstapSink&) = delete;

    // Sends a CLIENT_QUERY and, if there was a response, a CLIENT_RESPONSE.
    void send(const RecordedQuery& query);
    // Call it often: hands waiting messages to libfstrm.
    void poll();

    // Numbers of messages: written to the receiver; dropped without space or receiver; accepted and
    // not written.
    [[nodiscard]] std::uint64_t sent() const;
    [[nodiscard]] std::uint64_t lost() const { return lost_; }
    [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
    [[nodiscard]] std::uint64_t failed() const;
    [[nodiscard]] bool connected() const;
    [[nodiscard]] std::string error() const;  // empty: none
    [[nodiscard]] const std::string& address() const { return address_; }

  private:
    class Wire;
    struct Free {
        void operator()(void* memory) const noexcept;
    };
    struct Message {
        std::unique_ptr<void, Free> bytes;  // of malloc()
        std::size_t size;
    };
    void submit();
    // False: libfstrm's queue is full, and the message stays here.
    [[nodiscard]] bool offer(Message& message);
    void offer_waiting();

    const DnstapSource source_;
    Warn warn_;
    std::string address_;
    std::shared_ptr<Wire> wire_;
    struct Thread;
    std::unique_ptr<Thread> thread_;
    std::string message_;
    std::deque<Message> waiting_;  // oldest first; libfstrm's queue is full
    std::size_t waiting_bytes_ = 0;
    std::uint64_t lost_ = 0;
    std::string reported_;
    bool was_connected_ = false;
};

}  // namespace steer::recorder
