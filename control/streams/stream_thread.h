// One thread of `streams`, without its thread: an io_context with all its objects. run() and stop()
// make it a thread; tests call poll().
//
// It sleeps in the io_context. A worker that pushes into one of its rings wakes it by the rings'
// eventfd.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "control/host/process/heartbeat.h"
#include "control/streams/base/probe_question.h"
#include "control/streams/base/stream_context.h"
#include "control/streams/base/traced_question.h"
#include "control/streams/listen/injector.h"
#include "control/streams/listen/listen_socket.h"
#include "control/streams/listen/quic_link.h"
#include "control/streams/listen/source_budget.h"
#include "control/streams/listen/tcp_listener.h"
#include "control/streams/listen/udp_listener.h"
#include "control/streams/upstream/quic_upstreams.h"
#include "control/streams/upstream/upstream_channels.h"
#include "control/streams/upstream/upstream_engines.h"
#include "control/streams/upstream/upstream_tcp.h"
#include "control/streams/upstream/upstream_udp.h"

namespace steer::stream {

class StreamThread {
  public:
    // `rings.sleeper` must have an eventfd. Pools and clock must outlive this object.
    StreamThread(unsigned index, StreamRings rings, BufferPools& buffers, Clock& clock);
    ~StreamThread();
    StreamThread(const StreamThread&) = delete;
    StreamThread& operator=(const StreamThread&) = delete;

    // Serves a bound socket; takes ownership of `descriptor`. Any thread.
    void add_udp(const ListenAddress& where, int descriptor, bool budgeted);
    void add_tcp(const ListenAddress& where, int descriptor,
                 std::shared_ptr<const Service> service);
    // The servers over QUIC, before run(); then each run of the process (quic_link.h), and its end.
    // Any thread.
    void set_quic(std::vector<QuicFrontend> servers);
    void connect_quic(Descriptor channel, std::function<void()> broken);
    void disconnect_quic();
    [[nodiscard]] const QuicLinkState& quic() const { return quic_state_; }
    // Closes the socket; its connections stay. Any thread.
    void remove(const ListenAddress& where);

    // See StreamContext::on_addresses. Call it before the first upstream.
    void report_addresses(decltype(StreamContext::on_addresses) to) {
        context_.on_addresses = std::move(to);
    }
    // See StreamContext::on_notify. Any thread.
    void set_notify(NotifyHandler handler);
    // See StreamContext::copying, vrfs. Any thread.
    void set_vrfs(std::map<IpAddress, int> by_upstream);
    void set_copying(std::vector<int> if_indices);
    // What all threads share for connections of clients, and how another thread is asked to close
    // one (StreamContext). Before the first listener.
    void share_clients(std::shared_ptr<ClientBudget> budget, std::function<void()> ask_others);
    // Closes a connection if there are too many of all threads. Any thread.
    void make_room_if_exceeded();
    // Any thread.
    void set_upstream_sockets(const UpstreamSocketLimits& limits);
    // Sets the upstreams that `streams` queries. Call it before workers know them. Any thread.
    void set_upstreams(std::shared_ptr<const UpstreamDirectory> directory);
    // Addresses or routes of this machine changed. Any thread.
    void network_changed();

    // The rows of `limits:`; nullptr: none. `secret`: of their keys, the same for all threads. Any
    // thread.
    void set_limits(std::shared_ptr<const LimitPolicy> limits, std::uint64_t secret);

    // Sends a query to a worker as a client would. `done` gets the response (empty: no answer) on
    // this thread. Any thread.
    void ask(TracedQuestion question, TracedAnswer done);

    // Sends a query to an upstream by its own transport. `done` is called on this thread with a
    // reply, and never without one. Any thread.
    void probe(ProbeQuestion question, ProbeReplied done);

    void run();   // until stop()
    void stop();  // any thread
    // Does the work that is due now, without waiting, including housekeeping for the passed time.
    // Returns the amount of work.
    std::size_t poll();

    [[nodiscard]] const Heartbeat& heartbeat() const { return heartbeat_; }
    [[nodiscard]] const StreamCounters& counters() const { return context_.counters; }
    [[nodiscard]] unsigned connections() const {
        return context_.connections.load(std::memory_order_relaxed);
    }

  private:
    void on_wake();
    void wait_for_wake();
    // Pops the rings. Returns false if there is more.
    bool drain();
    void take(const Message& m);
    void take_notify(Buffer* buffer);
    class OneAnswer;
    void flush();
    void await_housekeeping();
    void keep_house();
    bool make_room();
    ClientConnections& clients_of(const std::shared_ptr<const Service>& service);

    StreamContext context_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    boost::asio::posix::stream_descriptor wake_;
    boost::asio::steady_timer housekeeping_;
    Injector injector_;
    SourceBudget budget_;
    QuicLinkState quic_state_;
    std::shared_ptr<QuicLink> quic_;  // nullptr: before set_quic()
    std::map<const Service*, std::unique_ptr<ClientConnections>> clients_;
    UpstreamUdp upstream_udp_;
    UpstreamEngines upstream_engines_;
    UpstreamTcp upstream_tcp_;
    QuicUpstreams quic_upstreams_;
    UpstreamChannels channels_;
    std::map<ListenAddress, std::shared_ptr<UdpListener>> udp_;
    std::map<ListenAddress, std::shared_ptr<TcpListener>> tcp_;
    std::uint64_t kept_ms_ = 0;                         // time of the last housekeeping
    std::set<std::shared_ptr<ResponseHandler>> asked_;  // from ask()
    Heartbeat heartbeat_;
};

}  // namespace steer::stream
