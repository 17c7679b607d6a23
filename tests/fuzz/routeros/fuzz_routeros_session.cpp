// A router that says anything: first bytes into a bare session, then into an engine that has logged
// in and has claims to write. Time passes between pieces. The first byte of the input chooses the
// size of the pieces.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "routeros/router.h"
#include "routeros/session.h"

namespace {

using namespace steer::routeros;

struct Nobody final : SessionHandler {
    void on_login(const Ending&) override {}
    void on_row(Tag, const ReplyRow& row) override { (void)row.get("address"); }
    void on_end(Tag, const Ending&) override {}
    void on_broken(std::string_view) override {}
};

struct World final : RouterSink, RouterLink {
    void installed(ListId, const AddressBytes&, std::uint32_t) override {}
    void ended(ListId, const AddressBytes&) override {}
    void lost(ListId, const AddressBytes&) override {}
    void epoch(ListId) override {}
    void away(ListId, bool) override {}
    void settled(std::uint64_t token, Outcome) override {
        if (token == 0 || token > 64 || (tokens >> (token - 1) & 1) != 0)
            std::abort();  // exactly once
        tokens |= std::uint64_t{1} << (token - 1);
    }
    void log(Level, std::string_view sentence) override {
        if (sentence.empty()) std::abort();
    }
    void connect() override { connecting = true; }
    void close() override { open = connecting = false; }
    void send(std::string_view) override {}

    bool connecting = false, open = false;
    std::uint64_t tokens = 0;
};

std::string sentence(std::initializer_list<std::string_view> words) {
    std::string bytes;
    for (const auto word : words)
        append_word(bytes, word);
    append_end(bytes);
    return bytes;
}

void run_session(std::string_view bytes, std::size_t piece) {
    Nobody nobody;
    Session session{nobody};
    session.login("a", "b");
    session.send(Command{forms::print_identity});
    for (std::size_t at = 0; at < bytes.size(); at += piece)
        session.feed(bytes.substr(at, piece));
    (void)session.take_output();
}

void run_router(std::string_view bytes, std::size_t piece) {
    World world;
    RouterConfig config;
    config.name = "edge1";
    config.username = "admin";
    ListConfig list;
    list.id = 1;
    list.list4 = "p4";
    list.list6 = "p6";
    list.tag = "t";
    list.persistent = {*Address::parse("10.0.0.0/8")};
    config.lists = {list};
    Router router{config, world, world};
    std::uint64_t now = 1'000'000, token = 0;
    router.start(now);
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        if (world.connecting) {
            world.connecting = false;
            world.open = true;
            router.connected(now);
            // Tags go on from session to session: only the first login is answered here.
            router.received(sentence({"!done", ".tag=1"}), now);
            router.received(sentence({"!re", ".tag=2", "=uptime=1d", "=version=7.21"}) +
                                sentence({"!done", ".tag=2"}),
                            now);
        }
        router.received(bytes.substr(at, piece), now);
        AddressBytes address = Address::parse("203.0.113.0")->bytes;
        address[15] = static_cast<std::uint8_t>(bytes[at] & 7);
        if (token < 64)
            router.claim(1, {&address, 1}, "www.example", now + 60'000, 60, ++token, now);
        now += 1U + static_cast<unsigned char>(bytes[at]);
        router.tick(now);
        if (router.next_deadline() <= now) {  // whatever was due has been done
            router.tick(now);
            if (router.next_deadline() < now) std::abort();
        }
    }
    router.stop(now);
    for (std::uint64_t t = 0; t < token; ++t) {
        if ((world.tokens >> t & 1) == 0) std::abort();  // every held answer was released
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::size_t piece = 1 + data[0];
    const std::string bytes{data + 1, data + size};
    run_session(bytes, piece);
    run_router(bytes, piece);
    return 0;
}
