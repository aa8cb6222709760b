#include "codec/openpgp.h"

#include <algorithm>

namespace barman::codec {

void PacketTracker::add(stream::Bytes bytes) {
  while (!bytes.empty() && !endless_) {
    if (state_ == State::kBody) {
      const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, bytes.size()));
      body_left_ -= part;
      bytes = bytes.subspan(part);
      if (body_left_ == 0) state_ = partial_ ? State::kNewLength : State::kTag;
    } else {
      take(std::to_integer<unsigned>(bytes.front()));
      bytes = bytes.subspan(1);
    }
  }
}

void PacketTracker::take(unsigned byte) {
  switch (state_) {
    case State::kTag:
      return take_tag(byte);
    case State::kNewLength:
      return take_new_length(byte);
    case State::kOldLength:
    case State::kLongLength:
      length_ = length_ << 8U | byte;
      if (--length_bytes_ == 0) begin_body(length_ + shift_);
      return;
    case State::kBody:
      return;
  }
}

void PacketTracker::take_tag(unsigned byte) {
  const bool new_format = (byte & 0x40U) != 0;
  const unsigned tag = new_format ? byte & 0x3fU : (byte >> 2U) & 0x0fU;
  constexpr unsigned kEncrypted = 9;
  constexpr unsigned kEncryptedWithIntegrity = 18;
  constexpr unsigned kEncryptedByGnupg = 20;
  encrypted_ = encrypted_ || tag == kEncrypted || tag == kEncryptedWithIntegrity || tag == kEncryptedByGnupg;
  partial_ = false;
  length_ = 0;
  shift_ = 0;
  if (new_format) {
    state_ = State::kNewLength;
  } else if ((byte & 0x03U) == 3) {
    endless_ = true;
  } else {
    state_ = State::kOldLength;
    length_bytes_ = 1U << (byte & 0x03U);
  }
}

void PacketTracker::take_new_length(unsigned byte) {
  constexpr unsigned kTwoBytes = 192;
  constexpr unsigned kPartial = 224;
  constexpr unsigned kFiveBytes = 255;
  partial_ = false;
  length_ = 0;
  shift_ = 0;
  if (byte < kTwoBytes) {
    begin_body(byte);
  } else if (byte < kPartial) {
    state_ = State::kLongLength;
    length_ = byte - kTwoBytes;
    length_bytes_ = 1;
    shift_ = kTwoBytes;
  } else if (byte < kFiveBytes) {
    partial_ = true;
    begin_body(std::uint64_t{1} << (byte & 0x1fU));
  } else {
    state_ = State::kLongLength;
    length_bytes_ = 4;
  }
}

void PacketTracker::begin_body(std::uint64_t size) {
  body_left_ = size;
  state_ = size == 0 ? State::kTag : State::kBody;
}

}  // namespace barman::codec
