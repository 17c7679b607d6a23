#include "support/access_trace.h"

#include <malloc.h>
#include <rte_memory.h>
#include <rte_memzone.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace steer::test {
namespace {

constexpr std::uintptr_t kPage = 4096, kLine = 64;
constexpr long long kTrapFlag = 0x100;
constexpr std::size_t kLines = 1 << 16, kRegions = 64, kOpenPages = 8;

struct Region {
    std::uintptr_t begin, end;
};

// All that the handlers touch is static: it is in no region.
TracedLine traced[kLines];
Region regions[kRegions];
std::size_t region_count = 0;
std::uintptr_t open_pages[kOpenPages];
std::size_t open_count = 0;
unsigned actor_now = 0;
struct sigaction old_fault, old_trap;

[[noreturn]] void give_up(const char* what) {
    [[maybe_unused]] const auto n = ::write(2, what, std::strlen(what));
    std::abort();
}

void protect(int how) {
    for (std::size_t i = 0; i < region_count; ++i) {
        auto* const at = reinterpret_cast<void*>(regions[i].begin);
        if (::mprotect(at, regions[i].end - regions[i].begin, how) != 0) {
            give_up("access trace: mprotect failed\n");
        }
    }
}

void note(std::uintptr_t address, bool is_write) {
    const std::uintptr_t line = address / kLine * kLine;
    std::size_t at = (line / kLine * 0x9e3779b97f4a7c15U >> 32) % kLines;
    unsigned steps = 0;
    while (traced[at].address != 0 && traced[at].address != line) {
        at = (at + 1) % kLines;
        if (++steps == kLines) give_up("access trace: too many lines\n");
    }
    traced[at].address = line;
    ++(is_write ? traced[at].writes : traced[at].reads)[actor_now];
}

void on_fault(int, siginfo_t* info, void* context) {
    const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
    bool ours = false;
    for (std::size_t i = 0; i < region_count; ++i)
        ours = ours || (address >= regions[i].begin && address < regions[i].end);
    if (!ours || open_count == kOpenPages) {
        protect(PROT_READ | PROT_WRITE);
        ::sigaction(SIGSEGV, &old_fault, nullptr);  // the instruction faults again, for others
        return;
    }
    auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    note(address, (registers[REG_ERR] & 2) != 0);
    const std::uintptr_t page = address / kPage * kPage;
    ::mprotect(reinterpret_cast<void*>(page), kPage, PROT_READ | PROT_WRITE);
    open_pages[open_count++] = page;
    registers[REG_EFL] |= kTrapFlag;
}

// The instruction is done.
void on_trap(int, siginfo_t*, void* context) {
    for (; open_count > 0; --open_count)
        ::mprotect(reinterpret_cast<void*>(open_pages[open_count - 1]), kPage, PROT_NONE);
    static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_EFL] &= ~kTrapFlag;
}

void add_region(std::uintptr_t begin, std::uintptr_t end) {
    if (region_count > 0 && regions[region_count - 1].end == begin) {
        regions[region_count - 1].end = end;
        return;
    }
    if (region_count == kRegions) give_up("access trace: memory is in too many pieces\n");
    regions[region_count++] = {begin, end};
}

void find_heap() {
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        if (line.find("[heap]") == std::string::npos) continue;
        std::uintptr_t begin = 0, end = 0;
        if (std::sscanf(line.c_str(), "%lx-%lx", &begin, &end) == 2) add_region(begin, end);
    }
}

int add_segment(const rte_memseg_list*, const rte_memseg* segment, void*) {
    const auto begin = reinterpret_cast<std::uintptr_t>(segment->addr);
    add_region(begin, begin + segment->len);
    return 0;
}

}  // namespace

unsigned TracedLine::writers() const {
    unsigned n = 0;
    for (const auto w : writes)
        n += w > 0 ? 1U : 0U;
    return n;
}

bool TracedLine::is_contended() const {
    unsigned touchers = 0;
    for (unsigned a = 0; a < kTraceActors; ++a)
        touchers += reads[a] + writes[a] > 0 ? 1U : 0U;
    return writers() > 0 && touchers > 1;
}

std::string TracedLine::text() const {
    char hex[32];
    std::snprintf(hex, sizeof hex, "0x%lx", address);
    std::string s = std::string(hex) + " in " + AccessTrace::place_of(address) + ": reads";
    for (const auto n : reads)
        s += " " + std::to_string(n);
    s += ", writes";
    for (const auto n : writes)
        s += " " + std::to_string(n);
    return s;
}

AccessTrace::AccessTrace() {
    region_count = 0;
    std::memset(static_cast<void*>(traced), 0, sizeof traced);
    find_heap();
    rte_memseg_walk(add_segment, nullptr);
    struct sigaction fault {
    }, trap{};
    fault.sa_sigaction = on_fault;
    trap.sa_sigaction = on_trap;
    fault.sa_flags = trap.sa_flags = SA_SIGINFO;
    ::sigaction(SIGSEGV, &fault, &old_fault);
    ::sigaction(SIGTRAP, &trap, &old_trap);
}

AccessTrace::~AccessTrace() {
    ::sigaction(SIGSEGV, &old_fault, nullptr);
    ::sigaction(SIGTRAP, &old_trap, nullptr);
}

void AccessTrace::begin(unsigned actor) {
    actor_now = actor;
    protect(PROT_NONE);
}

void AccessTrace::end() {
    protect(PROT_READ | PROT_WRITE);
}

std::vector<TracedLine> AccessTrace::lines() const {
    std::vector<TracedLine> all;
    for (const TracedLine& line : traced) {
        if (line.address != 0) all.push_back(line);
    }
    return all;
}

std::string AccessTrace::place_of(std::uintptr_t address) {
    struct Search {
        std::uintptr_t address;
        std::string found = "heap";
    } search{address};
    rte_memzone_walk(
        [](const rte_memzone* zone, void* argument) {
            auto& s = *static_cast<Search*>(argument);
            const auto begin = reinterpret_cast<std::uintptr_t>(zone->addr);
            if (s.address >= begin && s.address < begin + zone->len) s.found = zone->name;
        },
        &search);
    return search.found;
}

}  // namespace steer::test
