// Load over DNS over QUIC, and over HTTP/3 (--alpn h3 --port 443), for the benches `streams` and
// `hostile`; tests/bench/doq.py starts it.
//
//   doq_load ask NAMES      closed loop: each connection has --streams queries in flight
//   doq_load connect NAMES  one handshake after another, with --resume of the session before
//   doq_load idle NAMES     connections that ask once and stay until SIGTERM
//   doq_load honest NAMES   open loop at --rate; a connection is replaced after ten queries
//   doq_load initials       first datagrams of --count connections, as lines of hexadecimal digits
//   doq_load half|reset|migrate|replay|tables NAMES
//                           floods at --rate until SIGTERM: handshakes that stop half-way, streams
//                           that are reset at once, packets that each leave from another port,
//                           first flights with early data that were sent before, connections that
//                           fill tables of QPACK (--alpn h3)
//
// NAMES: a file with a name in each line. Each answer is checked: it is an answer to the question,
// with one address, the one that all names of the benches have. The last line is JSON.
#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iostream>
#include <list>
#include <memory>
#include <sstream>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bench/doq_client.h"
#include "bench/fail.h"
#include "bench/http3_frames.h"
#include "support/qpack_literals.h"

namespace steer::bench {

void fail(const std::string& why) {
    std::cerr << "doq_load: " << why << '\n';
    std::exit(1);
}

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000, kMillisecond = 1'000'000;
constexpr std::size_t kHeader = 12, kLength = 2;
constexpr std::array<std::uint8_t, 4> kAddress{192, 0, 2, 1};  // of ZONE in ports.py
constexpr std::uint32_t kMostTtl = 86'400;
constexpr std::uint64_t kInTime = 3 * kSecond;  // IN_TIME_S["stream"] in honest.py
constexpr unsigned kFresh = 4;                  // FRESH there
constexpr unsigned kSlots = 20, kEach = 10;     // SLOTS and EACH there
constexpr unsigned kStormPorts = 32, kStormClients = 20;
constexpr unsigned kResetsAtOnce = 50;
constexpr std::uint64_t kHalfLife = 2 * kSecond;  // of a handshake that stops

volatile std::sig_atomic_t is_ended = 0;

// ---- messages

// A query as it is on its stream: its length, then the message with the id 0 (RFC 9250 4.2.1).
Octets query_of(const std::string& name) {
    Octets out{0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    std::istringstream labels(name);
    for (std::string label; std::getline(labels, label, '.');) {
        out.push_back(static_cast<std::uint8_t>(label.size()));
        out.insert(out.end(), label.begin(), label.end());
    }
    constexpr std::array<std::uint8_t, 5> kRootInA{0, 0, 1, 0, 1};
    out.insert(out.end(), kRootInA.begin(), kRootInA.end());
    out[0] = static_cast<std::uint8_t>((out.size() - kLength) >> 8);
    out[1] = static_cast<std::uint8_t>(out.size() - kLength);
    return out;
}

unsigned be16(const Octets& from, std::size_t at) {
    return static_cast<unsigned>(from[at]) << 8 | from[at + 1];
}

enum class Verdict : std::uint8_t { good, error, wrong };

// As only_address() in message.py.
Verdict judge(const Octets& query, const Octets& stream) {
    if (stream.size() < kLength + kHeader || be16(stream, 0) != stream.size() - kLength)
        return Verdict::wrong;
    const unsigned flags = be16(stream, kLength + 2);
    if ((flags & 0xf) != 0) return Verdict::error;
    const std::size_t end = query.size();
    if ((flags & 0x820f) != 0x8000 || stream.size() < end + 16 ||
        !std::equal(query.begin() + kLength + kHeader, query.end(),
                    stream.begin() + kLength + kHeader) ||
        be16(stream, kLength + 6) != 1 || stream[end] < 0xc0)
        return Verdict::wrong;
    const std::uint32_t ttl = be16(stream, end + 6) << 16 | be16(stream, end + 8);
    const bool is_good = be16(stream, end + 2) == 1 && be16(stream, end + 4) == 1 &&
                         be16(stream, end + 10) == 4 && ttl <= kMostTtl &&
                         std::equal(kAddress.begin(), kAddress.end(),
                                    stream.begin() + static_cast<std::ptrdiff_t>(end) + 12);
    return is_good ? Verdict::good : Verdict::wrong;
}

// ---- what it is asked to do

struct Options {
    std::string what;
    std::vector<std::string> names;
    sockaddr_in server{};
    std::vector<in_addr> sources{in_addr{}};
    unsigned connections = 20, streams = 10, count = 0;
    double rate = 0;
    std::uint64_t time = 5 * kSecond;
    std::string serial = "0", alpn = "doq";
    bool is_apart = false, resumes = false;
};

in_addr address_of(const std::string& text) {
    in_addr address{};
    if (::inet_pton(AF_INET, text.c_str(), &address) != 1) fail("no IPv4 address: " + text);
    return address;
}

Options read_options(int argc, char** argv) {
    Options all;
    all.server.sin_family = AF_INET;
    all.server.sin_port = htons(853);
    if (argc < 2) fail("what to do? The head of doq_load.cpp has the words");
    all.what = argv[1];
    for (int i = 2; i < argc; ++i) {
        const std::string word = argv[i];
        const auto next = [&] {
            if (++i >= argc) fail(word + " needs a value");
            return std::string(argv[i]);
        };
        const auto number = [&] { return static_cast<unsigned>(std::stoul(next())); };
        if (word == "--server") {
            all.server.sin_addr = address_of(next());
        } else if (word == "--port") {
            all.server.sin_port = htons(static_cast<std::uint16_t>(number()));
        } else if (word == "--sources") {
            all.sources.clear();
            std::istringstream list(next());
            for (std::string one; std::getline(list, one, ',');)
                all.sources.push_back(address_of(one));
        } else if (word == "--connections") {
            all.connections = number();
        } else if (word == "--streams") {
            all.streams = number();
        } else if (word == "--count") {
            all.count = number();
        } else if (word == "--rate") {
            all.rate = std::stod(next());
        } else if (word == "--seconds") {
            all.time = static_cast<std::uint64_t>(std::stod(next()) * kSecond);
        } else if (word == "--serial") {
            all.serial = next();
        } else if (word == "--alpn") {
            all.alpn = next();
        } else if (word == "--apart") {
            all.is_apart = true;
        } else if (word == "--resume") {
            all.resumes = true;
        } else if (std::ifstream file(word); file) {
            for (std::string line; std::getline(file, line);)
                all.names.push_back(line.substr(0, line.find(' ')));
        } else {
            fail("neither an option nor a file: " + word);
        }
    }
    if (all.names.empty() && all.what != "initials") fail("which names?");
    return all;
}

// ---- connections, and the loop that serves them

class Load : public DoqClient::Owner {
  public:
    explicit Load(const Options& options) : options_(options), epoll_(::epoll_create1(0)) {
        for (const std::string& name : options.names) {
            queries_.push_back(query_of(name));
            streams_.push_back(stream_of(queries_.back()));
        }
    }
    virtual ~Load() { ::close(epoll_); }
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

    void on_open(DoqClient&) override {}
    void on_answer(DoqClient&, std::uint64_t, const Octets&) override {}
    void on_reset(DoqClient&, std::uint64_t) override {}

  protected:
    using Place = std::list<std::unique_ptr<DoqClient>>::iterator;

    DoqClient& connect(unsigned ports = 1, const Octets* ticket = nullptr) {
        const DoqClient::Settings settings{
            .server = options_.server,
            .source = options_.sources[next_source_++ % options_.sources.size()],
            .ports = ports,
            .is_apart = options_.is_apart,
            .ticket = ticket,
            .alpn = options_.alpn,
            .uni = uni_};
        clients_.push_back(std::make_unique<DoqClient>(*this, settings));
        const auto place = std::prev(clients_.end());
        places_[place->get()] = place;
        for (const int fd : (*place)->sockets()) {
            epoll_event event{};
            event.events = EPOLLIN;
            event.data.fd = fd;
            ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
            by_socket_[fd] = place->get();
        }
        (void)(*place)->write();
        return **place;
    }

    void forget(DoqClient& client) {
        for (const int fd : client.sockets())
            by_socket_.erase(fd);
        const auto at = places_.find(&client);
        const Place place = at->second;
        places_.erase(at);
        clients_.erase(place);
    }

    // Takes what arrives until `when` at the latest, and serves timers.
    void serve(std::uint64_t when) {
        std::array<epoll_event, 256> events;
        const std::uint64_t now = monotonic_ns();
        const std::uint64_t next = std::min(when, next_check_);
        const int wait_ms = next <= now ? 0 : static_cast<int>((next - now) / kMillisecond) + 1;
        const int count = ::epoll_wait(epoll_, events.data(), events.size(), wait_ms);
        for (int i = 0; i < count; ++i) {
            const int fd = events[static_cast<std::size_t>(i)].data.fd;
            const auto at = by_socket_.find(fd);
            if (at == by_socket_.end()) continue;
            DoqClient& client = *at->second;
            if (client.read(fd)) {
                changed(client);
            } else {
                ended(client);
            }
        }
        if (const std::uint64_t after = monotonic_ns(); after >= next_check_) {
            next_check_ = after + 5 * kMillisecond;
            std::vector<DoqClient*> expired;
            for (const auto& client : clients_) {
                if (client->expiry() <= after) expired.push_back(client.get());
            }
            // The end of one may be that of others.
            for (DoqClient* const client : expired) {
                if (places_.contains(client) && !client->expire(after)) ended(*client);
            }
        }
    }

    // Something arrived.
    virtual void changed(DoqClient& client) {
        if (!client.write()) ended(client);
    }
    virtual void ended(DoqClient& client) { forget(client); }

    // What is sent for the next name.
    const Octets& next_query(std::uint64_t& tag) {
        tag = next_name_++ % streams_.size();
        return streams_[tag];
    }
    [[nodiscard]] bool is_http() const { return is_http3(options_.alpn); }
    [[nodiscard]] Octets stream_of(const Octets& query) const {
        return is_http() ? http3_request(query, "dns.example") : query;
    }
    [[nodiscard]] Verdict judge(const Octets& query, const Octets& stream) const {
        return bench::judge(query, is_http() ? http3_content(stream) : stream);
    }

    const Options& options_;
    std::vector<Octets> queries_;          // as over DoQ
    std::span<const std::uint8_t> uni_{};  // for each connection
    std::list<std::unique_ptr<DoqClient>> clients_;

  private:
    int epoll_;
    std::unordered_map<int, DoqClient*> by_socket_;
    std::unordered_map<DoqClient*, Place> places_;
    std::vector<Octets> streams_;  // of these
    std::size_t next_source_ = 0, next_name_ = 0;
    std::uint64_t next_check_ = 0;
};

// ---- ask, idle

class Queries : public Load {
  public:
    using Load::Load;

    // Until `count` answers, or for the time.
    void ask() {
        asked_at_most_ = options_.count == 0 ? UINT64_MAX : options_.count;
        for (unsigned i = 0; i < options_.connections; ++i)
            (void)connect();
        const std::uint64_t begin = monotonic_ns(), end = begin + options_.time;
        while (monotonic_ns() < end && good_ + error_ + wrong_ < asked_at_most_)
            serve(end);
        const auto took = static_cast<double>(monotonic_ns() - begin) / kSecond;
        for (const auto& client : clients_)
            client->close();
        std::printf(
            "{\"answered\": %lu, \"errors\": %lu, \"wrong\": %lu, \"reset\": %lu, "
            "\"ended\": %lu, \"rate\": %.1f}\n",
            good_, error_, wrong_, reset_, ended_, static_cast<double>(good_) / took);
    }

    // Connections one after another, each with one answer.
    void idle() {
        asked_at_most_ = 0;
        for (unsigned i = 0; i < options_.connections; ++i) {
            DoqClient& client = connect();
            const std::uint64_t end = monotonic_ns() + 5 * kSecond, before = good_;
            while (!client.is_open() && monotonic_ns() < end)
                serve(end);
            std::uint64_t tag = 0;
            const Octets& query = next_query(tag);
            if (!client.is_open() || !client.ask(query, tag) || !client.write())
                fail("an idle connection was refused");
            while (good_ == before && monotonic_ns() < end)
                serve(end);
            if (good_ == before) fail("an idle connection was not answered");
        }
        std::printf("idle\n");
        std::fflush(stdout);
        while (is_ended == 0)
            serve(monotonic_ns() + kSecond / 10);
        for (const auto& client : clients_)
            client->close();
    }

    void on_answer(DoqClient&, std::uint64_t tag, const Octets& stream) override {
        switch (judge(queries_[tag], stream)) {
            case Verdict::good:
                ++good_;
                break;
            case Verdict::error:
                ++error_;
                break;
            case Verdict::wrong:
                ++wrong_;
                break;
        }
    }
    void on_reset(DoqClient&, std::uint64_t) override { ++reset_; }

  private:
    void changed(DoqClient& client) override {
        while (client.is_open() && client.waiting() < options_.streams && asked_ < asked_at_most_) {
            std::uint64_t tag = 0;
            const Octets& query = next_query(tag);
            if (!client.ask(query, tag)) break;
            ++asked_;
        }
        Load::changed(client);
    }
    void ended(DoqClient& client) override {
        ++ended_;
        forget(client);
    }

    std::uint64_t asked_at_most_ = 0, asked_ = 0;
    std::uint64_t good_ = 0, error_ = 0, wrong_ = 0, reset_ = 0, ended_ = 0;
};

// ---- connect

class Connecting : public Load {
  public:
    using Load::Load;

    void run() {
        std::uint64_t count = 0, resumed = 0;
        Octets ticket;
        const std::uint64_t begin = monotonic_ns(), end = begin + options_.time;
        while (monotonic_ns() < end) {
            DoqClient& client = connect(1, options_.resumes ? &ticket : nullptr);
            has_ended_ = false;
            const std::uint64_t patience = monotonic_ns() + 5 * kSecond;
            const auto is_done = [&] {
                return client.is_confirmed() && (!options_.resumes || !client.ticket().empty());
            };
            while (!has_ended_ && !is_done() && monotonic_ns() < patience)
                serve(patience);
            if (has_ended_ || !is_done()) fail("a handshake failed");
            ++count;
            resumed += client.is_resumed() ? 1U : 0U;
            ticket = client.ticket();
            client.close();
            forget(client);
        }
        const auto took = static_cast<double>(monotonic_ns() - begin) / kSecond;
        std::printf("{\"connections\": %lu, \"resumed\": %lu, \"rate\": %.1f}\n", count, resumed,
                    static_cast<double>(count) / took);
    }

  private:
    void ended(DoqClient& client) override {
        has_ended_ = true;
        forget(client);
    }
    bool has_ended_ = false;
};

// ---- honest

// As honest.py over connections.
class Honest : public Load {
  public:
    using Load::Load;

    void run() {
        const std::uint64_t begin = monotonic_ns(), end = begin + options_.time;
        const auto each = static_cast<std::uint64_t>(kSecond / options_.rate);
        std::uint64_t due = begin + each / 2;
        while (due < end || (waiting_ > 0 && monotonic_ns() < end + kInTime)) {
            const std::uint64_t now = monotonic_ns();
            for (; due <= now && due < end; due += each)
                ask(due);
            serve(due < end ? due : end + kInTime);
        }
        std::ranges::sort(times_);
        const auto at = [&](double share) {
            return static_cast<double>(times_[static_cast<std::size_t>(
                       share * static_cast<double>(times_.size() - 1))]) /
                   kSecond;
        };
        std::printf("{\"asked\": %zu, \"answered\": %zu, \"late\": %u, \"errors\": %u, ",
                    asked_.size(), times_.size(), late_, errors_);
        if (times_.empty()) {
            std::printf("\"p50\": null, \"p99\": null, ");
        } else {
            std::printf("\"p50\": %.6f, \"p99\": %.6f, ", at(0.5), at(0.99));
        }
        std::printf("\"wrong\": [%s]}\n", wrong_ == 0 ? "" : "\"an answer over QUIC\"");
    }

    void on_answer(DoqClient&, std::uint64_t tag, const Octets& stream) override {
        --waiting_;
        const Asked& one = *asked_[tag];
        const std::uint64_t took = monotonic_ns() - one.at;
        switch (judge(one.query, stream)) {
            case Verdict::good:
                if (took > kInTime) {
                    ++late_;
                } else {
                    times_.push_back(took);
                }
                break;
            case Verdict::error:
                ++errors_;
                break;
            case Verdict::wrong:
                ++wrong_;
                break;
        }
    }
    void on_reset(DoqClient&, std::uint64_t tag) override {
        --waiting_;
        again_.push_back(tag);
    }

  private:
    struct Asked {
        Octets query;
        std::uint64_t at = 0;
        unsigned tries = 0;
    };
    struct Slot {
        DoqClient* client = nullptr;
        unsigned begun = 0;
        std::vector<std::uint64_t> early;  // until the handshake is complete
    };

    void ask(std::uint64_t at) {
        const std::size_t number = asked_.size();
        const Octets query =
            number % kFresh == 0
                ? query_of("n" + std::to_string(number) + ".q" + options_.serial + ".example.com")
                : queries_[number % queries_.size()];
        asked_.push_back(std::make_unique<Asked>(Asked{query, at}));
        send(number, number % kSlots);
    }

    void send(std::uint64_t tag, std::size_t which) {
        Slot& slot = slots_[which];
        if (slot.client == nullptr || slot.begun >= kEach) {
            if (slot.client != nullptr) retiring_.push_back({slot.client, std::move(slot.early)});
            slot = {&connect(), 0, {}};
            if (!retiring_.empty()) retire();
        }
        ++slot.begun;
        ++asked_[tag]->tries;
        ++waiting_;
        slot.early.push_back(tag);
        if (slot.client->is_open()) changed(*slot.client);
    }

    void changed(DoqClient& client) override {
        if (auto* const early = early_of(client); client.is_open() && early != nullptr) {
            while (!early->empty() && client.ask(asked_[early->back()]->query, early->back()))
                early->pop_back();
        }
        const bool is_good = client.write();
        if (!is_good) {
            ended(client);
        } else if (!retiring_.empty()) {
            retire();
        }
        for (const std::uint64_t tag : std::exchange(again_, {}))
            try_again(tag);
    }

    std::vector<std::uint64_t>* early_of(DoqClient& client) {
        for (Slot& slot : slots_) {
            if (slot.client == &client) return &slot.early;
        }
        for (Retiring& one : retiring_) {
            if (one.client == &client) return &one.early;
        }
        return nullptr;
    }

    void retire() {
        std::erase_if(retiring_, [this](const Retiring& one) {
            if (one.client->waiting() > 0 || !one.early.empty()) return false;
            one.client->close();
            forget(*one.client);
            return true;
        });
    }

    void ended(DoqClient& client) override {
        std::vector<std::uint64_t> lost = client.take_waiting();
        if (const auto* const early = early_of(client))
            lost.insert(lost.end(), early->begin(), early->end());
        for (Slot& slot : slots_) {
            if (slot.client == &client) slot = {};
        }
        std::erase_if(retiring_, [&](const Retiring& one) { return one.client == &client; });
        waiting_ -= lost.size();
        forget(client);
        for (const std::uint64_t tag : lost)
            try_again(tag);
    }

    void try_again(std::uint64_t tag) {
        Asked& one = *asked_[tag];
        if (one.tries < 2 && monotonic_ns() - one.at < kInTime) send(tag, (tag + 7) % kSlots);
    }

    struct Retiring {
        DoqClient* client;
        std::vector<std::uint64_t> early;
    };
    std::vector<std::unique_ptr<Asked>> asked_;
    std::array<Slot, kSlots> slots_;
    std::vector<Retiring> retiring_;
    std::vector<std::uint64_t> again_, times_;
    std::size_t waiting_ = 0;
    unsigned late_ = 0, errors_ = 0, wrong_ = 0;
};

// ---- floods

class Flood : public Load {
  public:
    using Load::Load;

    void run() {
        std::printf("floods\n");
        std::fflush(stdout);
        const std::uint64_t begin = monotonic_ns();
        std::uint64_t due = 0;  // units
        while (is_ended == 0) {
            const std::uint64_t now = monotonic_ns();
            const auto wanted = static_cast<std::uint64_t>(static_cast<double>(now - begin) /
                                                           kSecond * options_.rate);
            // What was not sent in a while is given up: no bursts.
            due = std::max(
                due, wanted - std::min<std::uint64_t>(
                                  wanted, static_cast<std::uint64_t>(options_.rate / 50) + 1));
            while (due < wanted && is_ended == 0) {
                const std::uint64_t done = flood(wanted - due);
                if (done == 0) break;
                due += done;
            }
            clean(now);
            serve(monotonic_ns() + kMillisecond);
        }
        std::printf("{\"sent\": %lu, \"seconds\": %.3f}\n", sent_,
                    static_cast<double>(monotonic_ns() - begin) / kSecond);
    }

  protected:
    // Sends up to `most` units; how many.
    virtual std::uint64_t flood(std::uint64_t most) = 0;
    virtual void clean(std::uint64_t) {}
    std::uint64_t sent_ = 0;
};

// Each goes on until the server has sent its certificate, with Retry before it if need be.
class Half : public Flood {
  public:
    using Flood::Flood;

  protected:
    void ended(DoqClient& client) override { drop(client); }

  private:
    std::uint64_t flood(std::uint64_t) override {
        begun_.emplace_back(monotonic_ns() + kHalfLife, &connect());
        return 1;
    }
    void changed(DoqClient& client) override {
        if (is_done(client)) {
            ++sent_;
            drop(client);
        } else {
            Flood::changed(client);
        }
    }
    [[nodiscard]] virtual bool is_done(const DoqClient& client) const {
        return client.has_answer();
    }
    void drop(DoqClient& client) {
        std::erase_if(begun_, [&](const auto& one) { return one.second == &client; });
        forget(client);
    }
    void clean(std::uint64_t now) override {
        while (!begun_.empty() && begun_.front().first < now)
            drop(*begun_.front().second);
    }
    std::list<std::pair<std::uint64_t, DoqClient*>> begun_;
};

// Each lasts until the server closes it.
class Tables final : public Half {
  public:
    explicit Tables(const Options& options) : Half(options) { uni_ = table_; }

  private:
    [[nodiscard]] bool is_done(const DoqClient&) const override { return false; }
    void ended(DoqClient& client) override {
        if (client.is_open()) ++sent_;
        Half::ended(client);
    }
    const Octets table_ = test::giant_qpack_table();
};

class Resets final : public Flood {
  public:
    using Flood::Flood;

  private:
    std::uint64_t flood(std::uint64_t most) override {
        while (clients_.size() < options_.connections)
            (void)connect();
        std::uint64_t done = 0;
        for (auto at = clients_.begin(); at != clients_.end() && done < most;) {
            DoqClient& client = **at++;
            if (!client.is_open()) continue;
            std::uint64_t here = 0;
            while (here < kResetsAtOnce && done + here < most &&
                   client.begin(std::span(queries_.front()).first(kLength)))
                ++here;
            done += here;
            if (here == 0) continue;
            bool is_good = client.write();
            client.reset_begun();
            if (!is_good || !client.write()) ended(client);
        }
        sent_ += done;
        return done;
    }
};

class Migrations final : public Flood {
  public:
    using Flood::Flood;

  private:
    std::uint64_t flood(std::uint64_t most) override {
        while (clients_.size() < kStormClients)
            (void)connect(kStormPorts);
        std::uint64_t done = 0;
        for (auto at = clients_.begin(); at != clients_.end() && done < most;) {
            DoqClient& client = **at++;
            std::uint64_t tag = 0;
            const Octets& query = next_query(tag);
            if (!client.is_open() || !client.ask(query, tag)) continue;
            ++done;
            if (!client.write()) ended(client);
        }
        sent_ += done;
        return done;
    }
};

// Each first flight has a ticket and a token of its own, and a query (0-RTT).
class Replays final : public Flood {
  public:
    using Flood::Flood;

    void replay() {
        prepare();
        run();
    }

  private:
    void prepare() {
        for (unsigned i = 0; i < kFlights; ++i) {
            DoqClient& first = connect();
            const std::uint64_t patience = monotonic_ns() + 5 * kSecond;
            while (monotonic_ns() < patience &&
                   (!first.is_confirmed() || first.before().token.empty()))
                serve(patience);
            before_.push_back(first.before());
            if (before_.back().ticket.empty() || before_.back().token.empty())
                fail("no ticket or no token for early data");
            in_addr source{};
            source.s_addr = first.source();
            first.close();
            forget(first);
            early_.push_back(
                std::make_unique<DoqClient>(*this, DoqClient::Settings{.server = options_.server,
                                                                       .source = source,
                                                                       .alpn = options_.alpn,
                                                                       .early = &before_.back()}));
            (void)early_.back()->ask(queries_[i % queries_.size()], i);
            flights_.push_back(early_.back()->datagrams());
        }
    }

    static constexpr unsigned kFlights = 64;
    std::uint64_t flood(std::uint64_t most) override {
        for (std::uint64_t done = 0; done < most; ++done, ++next_) {
            for (const Octets& datagram : flights_[next_ % kFlights])
                (void)early_[next_ % kFlights]->send(datagram);
        }
        sent_ += most;
        return most;
    }
    std::list<DoqClient::Before> before_;
    std::vector<std::unique_ptr<DoqClient>> early_;
    std::vector<std::vector<Octets>> flights_;
    std::size_t next_ = 0;
};

class Nobody final : public DoqClient::Owner {
  public:
    void on_open(DoqClient&) override {}
    void on_answer(DoqClient&, std::uint64_t, const Octets&) override {}
    void on_reset(DoqClient&, std::uint64_t) override {}
};

void print_initials(const Options& options) {
    Nobody nobody;
    for (unsigned i = 0; i < options.count; ++i) {
        DoqClient client(nobody, {.server = options.server});
        for (const Octets& one : client.datagrams()) {
            for (const std::uint8_t byte : one)
                std::printf("%02x", byte);
            std::printf("\n");
        }
    }
}

template <class What>
void run(const Options& options, void (What::*how)()) {
    What what(options);
    (what.*how)();
}

int main_of(int argc, char** argv) {
    // Sanitizers and SIGTERM alike: the floods and `idle` print what they did.
    std::signal(SIGTERM, [](int) { is_ended = 1; });
    Options options = read_options(argc, argv);
    if (options.what == "migrate") options.is_apart = true;
    if (options.what == "ask") {
        run(options, &Queries::ask);
    } else if (options.what == "idle") {
        run(options, &Queries::idle);
    } else if (options.what == "connect") {
        run(options, &Connecting::run);
    } else if (options.what == "honest") {
        run(options, &Honest::run);
    } else if (options.what == "initials") {
        print_initials(options);
    } else if (options.what == "half") {
        run<Half>(options, &Half::run);
    } else if (options.what == "reset") {
        run<Resets>(options, &Resets::run);
    } else if (options.what == "migrate") {
        run<Migrations>(options, &Migrations::run);
    } else if (options.what == "tables") {
        run<Tables>(options, &Tables::run);
    } else if (options.what == "replay") {
        run<Replays>(options, &Replays::replay);
    } else {
        fail("no load '" + options.what + "'");
    }
    return 0;
}

}  // namespace
}  // namespace steer::bench

int main(int argc, char** argv) {
    return steer::bench::main_of(argc, argv);
}
