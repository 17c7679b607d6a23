// A router that tells anything as its DHCP leases: into the reader, what it found into names, names into answers and
// the file. The first byte of the input chooses the size of the pieces.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "control/sources/leases/lease_names.h"
#include "control/sources/leases/lease_state.h"
#include "dataplane/dns/name.h"
#include "routeros/dhcp_leases.h"

namespace {

using namespace steer;
using routeros::DhcpLease;

struct World final : routeros::LeaseSink, routeros::RouterLink {
    void rows(std::vector<DhcpLease> all) override { last = std::move(all); }
    void log(routeros::Level, std::string_view sentence) override {
        if (sentence.empty()) std::abort();
    }
    void connect() override { connecting = true; }
    void close() override { connecting = false; }
    void send(std::string_view) override {}

    bool connecting = false;
    std::vector<DhcpLease> last;
};

std::vector<DhcpLease> read(std::string_view bytes, std::size_t piece) {
    World world;
    routeros::LeaseReader reader{{"edge1", "", "a", "b"}, world, world};
    std::uint64_t now = 1'000'000;
    reader.start(now);
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        if (world.connecting) {
            world.connecting = false;
            reader.connected(now);
            std::string login;
            routeros::append_word(login, "!done");
            routeros::append_word(login, ".tag=1");
            routeros::append_end(login);
            reader.received(login, now);
        }
        reader.received(bytes.substr(at, piece), now);
        now += 1U + static_cast<unsigned char>(bytes[at]);
        reader.tick(now);
        if (reader.next_deadline() < now) std::abort();
    }
    reader.tick(now + 1000);
    reader.stop(now);
    return world.last;
}

void name(const std::vector<DhcpLease>& all) {
    config::DhcpLeases args;
    args.domain = "lan";
    const leases::RouterLeases router{"edge1", all};
    const leases::RouterLeases* const routers[] = {&router};
    const leases::LeaseBook book = leases::name_leases(routers, args);
    const auto table = leases::table_of(book, args);
    matchers::NameMatcher::Scratch scratch;
    for (const leases::NamedLease& lease : book.named) {
        const auto wire = dns::name_from_text(lease.name);
        const std::uint16_t type = lease.address.is_v4() ? 1 : 28;
        if (!wire || table->find(*wire, type, 1, scratch) == nullptr) std::abort();
    }
    (void)leases::state_text({{"edge1", all}});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::string bytes{data + 1, data + size};
    name(read(bytes, 1U + data[0]));
    // And a host name alone, as a lease has it.
    name({{1, false, false, "192.0.2.1", "", bytes, "dhcp1"}});
    return 0;
}
