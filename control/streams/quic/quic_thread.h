// A thread of steerdns-quic: its sockets, its QuicServer, and its channel to a `streams` thread.
//
// Other threads call the functions that say so; the rest runs in run(). It sleeps in epoll_wait().
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "control/host/process/sequenced_socket.h"
#include "control/streams/quic/datagram_socket.h"
#include "control/streams/quic/quic_messages.h"
#include "control/streams/quic/quic_service.h"
#include "control/streams/quic/server.h"
#include "control/streams/quic/upstream_sockets.h"

namespace steer::quic {

class QuicThread final : private QuicServer::Sender, private QueryTaker {
  public:
    QuicThread(unsigned index, const Begin& begin, const std::shared_ptr<ProcessMemory>& memory,
               Descriptor channel);
    ~QuicThread();
    QuicThread(const QuicThread&) = delete;
    QuicThread& operator=(const QuicThread&) = delete;

    // Any thread.
    void use_service(std::shared_ptr<const QuicService> service);
    // `socket`: this thread's.
    void add_socket(const AddressSockets& sockets, Descriptor socket);
    void close_socket(const BoundAddress& where);
    void set_draining(bool on);
    // Closes all connections; run() returns.
    void stop();

    void run();
    // False: the other end of the channel is closed, or sent what is not known. Any thread.
    [[nodiscard]] bool is_good() const { return is_good_.load(std::memory_order_relaxed); }
    // Grows at least once a second. Any thread.
    [[nodiscard]] std::uint64_t turns() const { return turns_.load(std::memory_order_relaxed); }

  private:
    struct Place {
        Place(std::uint16_t its_service, DatagramSocket its_socket)
            : service(its_service), socket(std::move(its_socket)) {}
        std::uint16_t service;
        DatagramSocket socket;
    };

    // QuicServer::Sender
    void send(const QuicPath& path, unsigned ecn, std::span<const std::uint8_t> bytes,
              std::size_t each) override;
    // QueryTaker
    bool take_query(const StreamQuery& query) override;

    void post(std::function<void()> job);
    void do_jobs();
    void read_channel();
    void take(const ChannelMessage& message, std::vector<Descriptor> beside);
    void read_socket(Place& place);
    void pass_queries();
    void pass_opened();
    void report();
    bool say(std::string_view message);
    void follow(int fd);
    [[nodiscard]] static Times times();

    SequencedSocket channel_;
    ThreadMemory memory_;
    QuicServer server_;
    Descriptor epoll_, wake_;
    UpstreamSockets upstreams_;
    std::map<std::uint16_t, std::shared_ptr<const QuicService>> services_;
    std::map<int, std::shared_ptr<Place>> sockets_;  // by descriptor
    RecordBatch queries_{ChannelKind::queries}, opened_{ChannelKind::opened};
    struct Passed {
        std::uint64_t connection;
        StreamId stream;
    };
    std::vector<Passed> passed_;  // of queries_
    std::array<std::uint64_t, kQuicCountSize> reported_{};
    Nanoseconds report_at_ = 0;
    std::atomic<bool> is_good_{true};
    std::atomic<std::uint64_t> turns_{0};
    bool is_stopping_ = false;

    std::mutex mutex_;  // of jobs_
    std::vector<std::function<void()>> jobs_;
};

}  // namespace steer::quic
