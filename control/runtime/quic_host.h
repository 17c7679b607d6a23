// The process steerdns-quic as the daemon sees it: its start, its servers and sockets, its end. It
// runs while there is a server or an upstream over QUIC.
//
// Servers, secrets and sockets are kept here, so a process that is started again gets the same: a
// client then sees a stateless reset, and its tickets are valid. While no process runs, the sockets
// stay open; what waits in them is dropped before the next run. Sockets of an address that went
// away stay, too, for its return: new ones would get other places in the group of their port
// (quic_sockets.h) while old ones are open somewhere.
//
// Main thread. The process is started again after 1 s, then 2, up to 30. It is ended after 15 s of
// silence.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/settings/section_settings.h"
#include "control/host/process/child_runner.h"
#include "control/streams/listen/listen_socket.h"
#include "control/streams/quic/quic_messages.h"
#include "dataplane/port/descriptor.h"
#include "matchers/result.h"

namespace steer {

class QuicHost final : private ChildOwner {
  public:
    using Start = ChildRunner::Start;
    using Log = std::function<void(const std::string& warning)>;
    // The channels of a new run, one for each thread. `broken`: the process sent what is not
    // understood; any thread may call it.
    using Connect =
        std::function<void(std::vector<Descriptor> channels, std::function<void()> broken)>;
    using Disconnect = std::function<void()>;

    // `secret`: of a fleet (`quic.secret_file`). No value: one of this daemon alone.
    QuicHost(boost::asio::io_context& io, unsigned threads, const quic::Memory& memory,
             const std::optional<config::QuicSecretBytes>& secret, Start start, Connect connect,
             Disconnect disconnect, Log log);
    ~QuicHost() { stop(); }
    QuicHost(const QuicHost&) = delete;
    QuicHost& operator=(const QuicHost&) = delete;

    // A server, or its new certificate. Its ticket key is made here, from the secret and the issuers
    // of clients' certificates: sessions of clients that are no longer accepted are not resumed. If the process refuses the
    // certificate, the one before stays in use.
    void set_service(quic::ServiceSettings service);
    // An address of a server, and its return: a socket for each thread, which `open` opens if there
    // are none yet (quic_sockets.h).
    using Open = std::function<Result<std::vector<Descriptor>>()>;
    Result<void> add_sockets(std::uint16_t service, const stream::ListenAddress& where,
                             const Open& open);
    void remove_sockets(const stream::ListenAddress& where);
    void set_draining(bool on);

    // Whether there are upstreams over QUIC. The process starts, or ends, if it then is needed or
    // not.
    void set_upstreams(bool are_there);

    // Starts the process, if there is a server or an upstream.
    void start();
    // Ends it: its connections are closed.
    void stop();

    [[nodiscard]] bool has_services() const { return !services_.empty(); }
    [[nodiscard]] bool is_needed() const { return has_services() || has_upstreams_; }
    [[nodiscard]] bool is_running() const { return child_.is_running(); }
    [[nodiscard]] std::uint64_t restarts() const { return restarts_; }
    // Bytes that its connections may have.
    [[nodiscard]] std::uint64_t most_memory() const { return memory_.bytes; }
    // Why it does not run, or refuses a certificate; empty: all is well.
    [[nodiscard]] std::string error() const;

  private:
    using Sockets = std::shared_ptr<const std::vector<Descriptor>>;
    struct Place {
        std::uint16_t service = 0;
        Sockets sockets;
        bool is_used = true;  // the address is here
    };
    struct Service {
        std::optional<quic::ServiceSettings> accepted;
        std::deque<quic::ServiceSettings> offered;  // not answered yet
        std::string error;                          // of the certificate that was refused last
    };
    struct Queued {
        std::string message;
        Sockets beside;  // nullptr: none
    };

    // ChildOwner
    [[nodiscard]] bool needs_child() const override { return is_started_ && is_needed(); }
    void child_began() override;
    bool take_message(std::string_view bytes) override;
    void child_has_room() override { send_queued(); }
    void child_failed(const ChildFailure& failure) override;
    void child_ended() override { disconnect_(); }

    [[nodiscard]] const char* effect() const;
    bool take(const quic::ServiceState& state);
    void say(const quic::MainMessage& message, Sockets beside = nullptr);
    void send_queued();
    void say_sockets(const stream::ListenAddress& where, const Place& place);
    void empty_sockets();

    const unsigned threads_;
    const quic::Memory memory_;  // that the process may have
    Connect connect_;
    Disconnect disconnect_;
    Log log_;
    config::QuicSecretBytes secret_{};
    quic::QuicSecrets secrets_;
    std::map<std::uint16_t, Service> services_;
    std::map<stream::ListenAddress, Place> places_;
    bool has_upstreams_ = false;
    bool is_draining_ = false, is_started_ = false;
    std::deque<Queued> queue_;  // to the process
    std::string error_;         // why it does not run
    std::string logged_;        // the last one that was logged; empty: it runs
    std::uint64_t restarts_ = 0;
    ChildRunner child_;
};

}  // namespace steer
