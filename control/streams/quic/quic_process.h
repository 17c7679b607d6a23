// The process steerdns-quic without its main(): reads the main channel, and has the threads.
//
// It ends when the main channel closes. A thread that fails ends the process; steerdnsd starts it
// again.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "control/host/process/child_main.h"
#include "control/host/process/sequenced_socket.h"
#include "control/streams/quic/quic_messages.h"
#include "control/streams/quic/quic_thread.h"

namespace steer::quic {

class QuicProcess {
  public:
    explicit QuicProcess(SequencedSocket main) : main_(std::move(main)) {}
    // Reads the first message, and starts the threads. `limit_data` gets the limit of its data
    // before that. `confine` is called on each thread, before it reads anything from a network, and on
    // this one at the end.
    bool begin(void (*limit_data)(std::uint64_t bytes), void (*confine)());
    ChildEnd run();

  private:
    // A message, or a sign of life. A value: the end.
    std::optional<ChildEnd> turn();
    // False: not understood.
    bool take(MainMessage message, std::vector<Descriptor> descriptors);
    void add_service(const ServiceSettings& settings);
    bool have_turned();

    SequencedSocket main_;
    std::shared_ptr<ProcessMemory> memory_;
    std::vector<std::unique_ptr<QuicThread>> threads_;
    std::vector<std::thread> running_;
    std::vector<std::uint64_t> turns_;  // of each, at the last sign of life
    std::map<std::uint16_t, std::shared_ptr<const QuicService>> services_;
};

}  // namespace steer::quic
