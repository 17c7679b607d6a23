#include "control/streams/quic/quic_process.h"

#include <poll.h>
#include <pthread.h>

#include <algorithm>
#include <array>
#include <latch>
#include <utility>

namespace steer::quic {
namespace {

constexpr int kAliveEveryMs = 2'000;

}  // namespace

bool QuicProcess::begin(void (*limit_data)(std::uint64_t bytes), void (*confine)()) {
    std::string_view bytes;
    std::vector<Descriptor> channels;
    if (main_.receive(bytes, true, &channels) != SequencedSocket::End::done) return false;
    const auto message = decode_main(bytes);
    const auto* const begin = message ? std::get_if<Begin>(&*message) : nullptr;
    if (begin == nullptr || channels.size() != begin->threads) return false;
    limit_data(begin->memory.data);
    memory_ = std::make_shared<ProcessMemory>(begin->memory.bytes, begin->memory.reserve);
    std::latch confined(begin->threads);
    for (unsigned i = 0; i < begin->threads; ++i) {
        threads_.push_back(
            std::make_unique<QuicThread>(i, *begin, memory_, std::move(channels[i])));
        running_.emplace_back([thread = threads_.back().get(), confine, &confined] {
            pthread_setname_np(pthread_self(), "quic");
            confine();
            confined.count_down();
            thread->run();
        });
    }
    turns_.resize(begin->threads);
    confined.wait();
    confine();
    return true;
}

ChildEnd QuicProcess::run() {
    std::optional<ChildEnd> end;
    while (!end)
        end = turn();
    for (const auto& thread : threads_)
        thread->stop();
    for (std::thread& one : running_)
        one.join();
    return *end;
}

std::optional<ChildEnd> QuicProcess::turn() {
    pollfd waits{main_.fd(), POLLIN, 0};
    if (::poll(&waits, 1, kAliveEveryMs) == 0) {
        const auto is_good = [](const auto& thread) { return thread->is_good(); };
        if (!std::ranges::all_of(threads_, is_good)) return ChildEnd::not_understood;
        if (have_turned()) (void)main_.send(encode(MainMessage(Alive{})), false);
        return std::nullopt;
    }
    std::string_view bytes;
    std::vector<Descriptor> descriptors;
    const auto end = main_.receive(bytes, false, &descriptors);
    if (end == SequencedSocket::End::full) return std::nullopt;
    if (end == SequencedSocket::End::closed) return ChildEnd::closed;
    auto message = end == SequencedSocket::End::done ? decode_main(bytes) : std::nullopt;
    if (!message || !take(std::move(*message), std::move(descriptors)))
        return ChildEnd::not_understood;
    return std::nullopt;
}

bool QuicProcess::take(MainMessage message, std::vector<Descriptor> descriptors) {
    if (const auto* const service = std::get_if<ServiceSettings>(&message)) {
        add_service(*service);
        return true;
    }
    if (const auto* const sockets = std::get_if<AddressSockets>(&message)) {
        if (descriptors.size() != threads_.size()) return false;
        for (std::size_t i = 0; i < threads_.size(); ++i)
            threads_[i]->add_socket(*sockets, std::move(descriptors[i]));
        return true;
    }
    if (const auto* const closed = std::get_if<ClosedSocket>(&message)) {
        for (const auto& thread : threads_)
            thread->close_socket(closed->where);
        return true;
    }
    if (const auto* const draining = std::get_if<Draining>(&message)) {
        for (const auto& thread : threads_)
            thread->set_draining(draining->on);
        return true;
    }
    return false;
}

// Whether each thread has done something since the last time.
bool QuicProcess::have_turned() {
    bool all = true;
    for (std::size_t i = 0; i < threads_.size(); ++i)
        all = std::exchange(turns_[i], threads_[i]->turns()) != threads_[i]->turns() && all;
    return all;
}

// A new certificate keeps the counts of the server; connections keep the certificate that they
// have.
void QuicProcess::add_service(const ServiceSettings& settings) {
    auto tls = ServerTls::make(settings.tls, memory_);
    const ServiceState state{settings.number, tls ? std::string() : tls.error().text};
    (void)main_.send(encode(MainMessage(state)), false);
    if (!tls) return;
    auto service = std::make_shared<QuicService>();
    service->number = settings.number;
    service->protocol = settings.protocol;
    service->http = settings.http;
    service->limits = settings.limits;
    service->tls = std::move(*tls);
    if (const auto before = services_.find(settings.number); before != services_.end())
        service->counts = before->second->counts;
    services_[settings.number] = service;
    for (const auto& thread : threads_)
        thread->use_service(service);
}

}  // namespace steer::quic
